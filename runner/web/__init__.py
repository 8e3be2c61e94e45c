"""The HTTP edge, a module for each kind of answer. Only server.py imports it."""
