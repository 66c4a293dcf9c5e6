"""
What a domain's zone at Cloudflare should have, what it has, and the changes that lead from one to the other. Pure.

Open first: `difference.py`. Whatever is made or removed in Email Routing after a domain was bound is decided here, by
the state and never by the event: making, reviving, expiring and destroying a mailbox, Retry, and repair after somebody
changed the zone by hand differ only in what they desire.
"""
