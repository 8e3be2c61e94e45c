"""The audit file: a chain of lines, how it is written, and what it adds up to.

Imports policy; imported by host, runs, web and commands.
"""
