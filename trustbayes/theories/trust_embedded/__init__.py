"""The trust-embedded theory: aversion to lying, and trust."""
