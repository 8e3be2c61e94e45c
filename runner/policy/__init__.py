"""What may run, and why: policy files and settings, judged, explained, locked, and turned into docker commands.

Imports no other folder; all others import it.
"""
