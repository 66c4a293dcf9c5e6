"""Disabled users, keys that expire and are bound, sessions by device, passkeys, audit, token buckets, quotas."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("disabled_at", Instant(), nullable=True))
    for table, column in (
        ("api_keys", sa.Column("expires_at", Instant(), nullable=True)),
        ("api_keys", sa.Column("mailbox_id", sa.String(length=48), nullable=True)),
        ("api_keys", sa.Column("domain_id", sa.String(length=48), nullable=True)),
        ("sessions", sa.Column("last_seen_at", Instant(), nullable=True)),
        ("sessions", sa.Column("user_agent", sa.String(length=200), nullable=True)),
        ("sessions", sa.Column("address", sa.String(length=64), nullable=True)),
        ("sessions", sa.Column("passkey_id", sa.String(length=48), nullable=True)),
        ("mailboxes", sa.Column("message_count", sa.Integer(), nullable=False, server_default=sa.text("0"))),
        ("mailboxes", sa.Column("stored_bytes", sa.BigInteger(), nullable=False, server_default=sa.text("0"))),
    ):
        op.add_column(table, column)
    op.execute(
        "UPDATE mailboxes SET"
        " message_count = (SELECT count(*) FROM messages"
        " WHERE messages.mailbox_id = mailboxes.id AND messages.deleted_at IS NULL),"
        " stored_bytes = (SELECT coalesce(sum(size_bytes), 0) FROM messages"
        " WHERE messages.mailbox_id = mailboxes.id AND messages.deleted_at IS NULL)"
    )
    _create_passkeys()
    _create_audit()
    op.create_table(
        "buckets",
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_buckets")),
    )
    op.create_index("ix_buckets_at", "buckets", ["at"])


def _create_passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("device_type", sa.String(length=16), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_passkeys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    live = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_passkeys_live_credential_id",
        "passkeys",
        ["credential_id"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=True),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_challenges_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_index("ix_challenges_expires_at", "challenges", ["expires_at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_id", sa.String(length=48), nullable=True),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("credential_id", sa.String(length=48), nullable=True),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("target_id", sa.String(length=48), nullable=True),
        sa.Column("target", sa.String(length=320), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    for column in ("actor_id", "target_id", "action"):
        op.create_index(f"ix_audit_{column}_seq", "audit", [column, "seq"])
