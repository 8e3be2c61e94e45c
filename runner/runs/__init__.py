"""One run's way: from a request to a job, through the sandbox and the audit file, to events and a report.

Imports policy, host, sandbox and record; imported by apis, mcp, web and commands.
"""
