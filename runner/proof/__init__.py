"""The proof that a policy's flags took effect, by a real container."""
