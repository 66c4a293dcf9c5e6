"""
All SQL and all bytes: one file per table, the database that runs them, the blob store, the signals.

Storage functions are plain `f(connection, …)` of SQLAlchemy Core; they run unchanged on SQLite and
PostgreSQL, take and return model values, and ask for the viewer where ownership matters. May import
`model` and `errors`.

Open first: `database.py` for how writes become durable, then `tables.py`.
"""
