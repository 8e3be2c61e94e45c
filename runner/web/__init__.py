"""The HTTP edge, a module for each kind of answer, and the page's files.

Imports policy, sandbox, record, proof, runs, apis and mcp; imported by server.py alone.
"""
