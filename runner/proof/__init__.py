"""The proof that a policy's flags took effect, by a real container.

Imports policy and sandbox; imported by web and commands.
"""
