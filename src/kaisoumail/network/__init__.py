"""
What a stranger may take of this process before anybody knows who it is: connections, memory, time.

Both listeners, SMTP and HTTP, draw on the same values (docs/how-it-works/limits.md).
"""
