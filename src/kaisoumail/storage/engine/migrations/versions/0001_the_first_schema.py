"""The first schema."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_facts")),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("beat_at", Instant(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "domains",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("root_domain", sa.String(length=253), nullable=False),
        sa.Column("zone_id", sa.String(length=64), nullable=True),
        sa.Column("binding_source", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("zone_status", sa.String(length=32), nullable=True),
        sa.Column("name_servers", sa.JSON(), nullable=False),
        sa.Column("catch_all_enabled", sa.Boolean(), nullable=False),
        sa.Column("catch_all_owner_id", sa.String(length=48), nullable=True),
        sa.Column("last_provision_error", sa.Text(), nullable=True),
        sa.Column("last_provision_code", sa.String(length=64), nullable=True),
        sa.Column("last_provision_details", sa.JSON(), nullable=False),
        sa.Column("next_look_at", Instant(), nullable=True),
        sa.Column("activation_checked_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("last_provisioned_at", Instant(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["catch_all_owner_id"], ["users.id"], name=op.f("fk_domains_catch_all_owner_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domains")),
        sa.UniqueConstraint("root_domain", name=op.f("uq_domains_root_domain")),
    )
    op.create_table(
        "domain_events",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("domain_id", sa.String(length=48), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_domain_events_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_events")),
    )
    op.create_index(op.f("ix_domain_events_domain_id_at"), "domain_events", ["domain_id", "at"], unique=False)
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("domain_id", sa.String(length=48), nullable=False),
        sa.Column("local_part", sa.String(length=32), nullable=False),
        sa.Column("subdomain", sa.String(length=190), nullable=False),
        sa.Column("root_domain", sa.String(length=253), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("routing_rule_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("last_received_at", Instant(), nullable=True),
        sa.Column("destroyed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_mailboxes_domain_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mailboxes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
    )
    op.create_index(op.f("ix_mailboxes_domain_id_subdomain"), "mailboxes", ["domain_id", "subdomain"], unique=False)
    op.create_index(op.f("ix_mailboxes_status_expires_at"), "mailboxes", ["status", "expires_at"], unique=False)
    op.create_index(op.f("ix_mailboxes_user_id_created_at"), "mailboxes", ["user_id", "created_at"], unique=False)
    op.create_index(
        "uq_mailboxes_live_address",
        "mailboxes",
        ["address"],
        unique=True,
        sqlite_where=sa.text("status <> 'destroyed'"),
        postgresql_where=sa.text("status <> 'destroyed'"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=48), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_sessions_key_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "subdomains",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("domain_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=190), nullable=False),
        sa.Column("enabled_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_subdomains_domain_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subdomains")),
        sa.UniqueConstraint("domain_id", "name", name=op.f("uq_subdomains_domain_id_name")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("mailbox_id", sa.String(length=48), nullable=False),
        sa.Column("mailbox_address", sa.String(length=320), nullable=False),
        sa.Column("delivery_key", sa.String(length=64), nullable=False),
        sa.Column("envelope_from", sa.Text(), nullable=False),
        sa.Column("envelope_to", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=True),
        sa.Column("from_address", sa.Text(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("attachment_count", sa.Integer(), nullable=False),
        sa.Column("has_html", sa.Boolean(), nullable=False),
        sa.Column("verification_code", sa.String(length=8), nullable=True),
        sa.Column("verification_source", sa.String(length=16), nullable=True),
        sa.Column("verification_method", sa.String(length=16), nullable=True),
        sa.Column("parse_status", sa.String(length=16), nullable=False),
        sa.Column("raw_location", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_messages_mailbox_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_messages_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("mailbox_id", "delivery_key", name=op.f("uq_messages_mailbox_id_delivery_key")),
    )
    op.create_index(
        op.f("ix_messages_mailbox_id_received_at_id"), "messages", ["mailbox_id", "received_at", "id"], unique=False
    )
    op.create_index(op.f("ix_messages_received_at_id"), "messages", ["received_at", "id"], unique=False)
    op.create_index(
        op.f("ix_messages_user_id_received_at_id"), "messages", ["user_id", "received_at", "id"], unique=False
    )
    op.create_table(
        "raw_messages",
        sa.Column("message_id", sa.String(length=48), nullable=False),
        sa.Column("zstd", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_raw_messages_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_raw_messages")),
    )
