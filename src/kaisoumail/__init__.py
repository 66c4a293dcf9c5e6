"""
KaisouMail: temporary mailboxes on the operator's own domains.

ARCHITECTURE.md lists the packages and which may import which.
"""
