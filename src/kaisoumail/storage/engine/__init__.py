"""
How the databases are run, independent of what the tables hold: SQLite, PostgreSQL, batches, signals, schema.

`database.py` makes a write durable, `transactions.py` runs one transaction, `schema.py` declares every table.
Imports nothing from `tables/`.
"""
