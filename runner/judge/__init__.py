"""What a teacher does with a folder of tests: batches of inputs, comparisons, verdicts, a table. All of it is pure.

Imports no other folder; imported by commands.
"""
