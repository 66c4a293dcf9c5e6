"""
All SQL and all bytes.

`engine/` runs the databases, `tables/` has one file per table, `blobs/` keeps what is too large for a row. The files
beside them use both: `intake.py` is the write of the accepting path.
"""
