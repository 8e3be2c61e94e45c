"""Other hosts: the server, its proofs and its attacks on a Debian that is booted for it. ``python -m tests.hosts``."""
