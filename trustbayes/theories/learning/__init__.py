"""Theories of people who learn: trust, and depth of thought, that move with experience."""
