"""Containers: one container's life, the framing with the launcher inside, and the pool that keeps some ready.

Imports policy; imported by proof, host, runs, apis, web and commands.
"""
