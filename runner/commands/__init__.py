"""The ops commands, a module each: ``HELP``, ``add`` for its arguments, ``main`` for what it does.

Imports policy, sandbox, record, proof, host and runs; imported by ``python -m runner`` alone.
"""
