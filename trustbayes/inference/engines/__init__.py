"""Samplers and approximations."""
