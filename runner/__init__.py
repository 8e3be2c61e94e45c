"""A code runner that is nothing but a visible ``docker run``."""
