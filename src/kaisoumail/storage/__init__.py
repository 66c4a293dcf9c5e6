"""
Databases and files: all SQL, and all bytes outside the database.

`engine/` runs the databases, `tables/` has one file per table, `blobs/` stores what is too large for a row. The other
files combine these: `intake.py` stores incoming messages.
"""
