"""
KaisouMail: temporary mailboxes on the operator's own domains.

The rooms and which may import which: ARCHITECTURE.md.
"""
