"""The ops commands, a module each: ``add`` for its arguments, ``main`` for what it does.

Imports policy, sandbox, record, proof, host, runs, mcp and judge; imported by ``python -m runner`` alone.
"""
