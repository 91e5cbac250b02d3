"""Subjects integrated out, given draws of their population."""
