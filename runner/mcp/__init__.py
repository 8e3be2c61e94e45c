"""The Model Context Protocol: programs as tools of a language model, the same over HTTP and over stdio.

Imports policy, sandbox and runs; imported by web and commands.
"""
