"""Other runners' APIs, a module each: pure mappings between their contracts and ours.

Imports policy, sandbox and runs; imported by web.
"""
