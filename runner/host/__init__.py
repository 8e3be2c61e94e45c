"""The machine that programs run on: what was seen of it, whether that is fit, and what to do where it is not.

Imports policy, sandbox and record; imported by runs and commands.
"""
