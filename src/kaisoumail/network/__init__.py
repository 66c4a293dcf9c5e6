"""
Limits for unauthenticated clients: connections, memory, time.

Both listeners, SMTP and HTTP, use them (docs/how-it-works/limits.md).
"""
