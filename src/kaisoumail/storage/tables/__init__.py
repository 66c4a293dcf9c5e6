"""
One file per table: plain `verb(connection, …)` of SQLAlchemy Core, the same on both databases.

They take and return model values, and take the viewer where ownership matters. A refusal inside a write is returned,
not raised: an exception rolls the shared batch back and runs the other works again.
"""
