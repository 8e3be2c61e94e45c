"""The ops commands, a module each: ``HELP``, ``add`` for its arguments, ``main`` for what it does."""
