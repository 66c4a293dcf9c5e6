"""Accounts of PostgreSQL with few connections."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url


@contextmanager
def a_limited_role(postgres_url: str, connections: int) -> Iterator[str]:
    """The URL of the same database for a user that may connect so many times at once, and is dropped afterwards."""
    name = f"limited_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        database = admin.info.dbname
        admin.execute(f'CREATE ROLE "{name}" LOGIN CONNECTION LIMIT {connections}')
        admin.execute(f'GRANT ALL ON DATABASE "{database}" TO "{name}"')
        admin.execute(f'GRANT ALL ON SCHEMA public TO "{name}"')
    yield make_url(postgres_url).set(username=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'DROP OWNED BY "{name}"')
        admin.execute(f'DROP ROLE "{name}"')
