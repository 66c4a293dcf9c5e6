"""
How the databases are run, whatever is in their tables: SQLite and PostgreSQL, batches, signals, schema.

`database.py` says how a write becomes durable, `transactions.py` what one transaction is; `schema.py` is every table.
Knows no file of `tables/`.
"""
