"""A code runner that is nothing but a visible ``docker run``: a folder for each reason to change.

At the top is what all use: what can be refused (``errors``) and the log (``logs``); and a
client of the service, one file to take along (``client``).
"""
