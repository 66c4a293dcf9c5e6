"""The tables of both databases. A change of columns needs a migration in `migrations/versions`."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from kaisoumail.storage.engine.column_types import Instant as Instant
from kaisoumail.storage.engine.column_types import milliseconds as milliseconds

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(48)


def _id() -> Column[str]:
    return Column("id", _ID, primary_key=True)


def _user(ondelete: str = "CASCADE") -> Column[str]:
    return Column("user_id", _ID, ForeignKey("users.id", ondelete=ondelete), nullable=False)


def _only(condition: str) -> dict[str, Any]:
    """The options of a partial index over the rows that meet *condition*."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _index_of_listed(*columns: str) -> Index:
    """An index without the rows of deleted messages: their number must not slow down lists."""
    return Index(None, *columns, **_only("deleted_at IS NULL"))


users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _user(),
    Column("name", String(64), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("expires_at", Instant),
    # The one mailbox or domain it is bound to. No foreign keys: a key whose mailbox is gone stays listed, useless.
    Column("mailbox_id", _ID),
    Column("domain_id", _ID),
    Column("created_by", _ID),  # a user id; not a foreign key: it stays when the user is deleted, as in the audit log
    Index(None, "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _user(),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("key_id", _ID, ForeignKey("api_keys.id", ondelete="CASCADE")),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("last_seen_at", Instant),
    Column("user_agent", String(200)),
    Column("address", String(64)),
    Column("passkey_id", _ID),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

passkeys = Table(
    "passkeys",
    metadata,
    _id(),
    _user(),
    Column("name", String(64), nullable=False),
    Column("credential_id", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("device_type", String(16), nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("transports", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Index(None, "user_id"),
    # A revoked credential may be registered again, as a new row.
    Index("uq_passkeys_live_credential_id", "credential_id", unique=True, **_only("revoked_at IS NULL")),
)

# Challenges of passkey ceremonies, each good for one answer; the browser's cookie names the row.
challenges = Table(
    "challenges",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("challenge", LargeBinary, nullable=False),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE")),
    Column("name", String(64)),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)

domains = Table(
    "domains",
    metadata,
    _id(),
    Column("root_domain", String(253), nullable=False, unique=True),
    Column("zone_id", String(64)),
    Column("binding_source", String(16), nullable=False),
    Column("status", String(24), nullable=False),
    Column("zone_status", String(32)),
    Column("zone_status_at", Instant),
    Column("name_servers", JSON, nullable=False),
    Column("catch_all_enabled", Boolean, nullable=False),
    Column("catch_all_owner_id", _ID, ForeignKey("users.id", ondelete="SET NULL")),
    Column("last_provision_error", Text),
    Column("last_provision_code", String(64)),
    Column("last_provision_details", JSON, nullable=False),
    Column("next_look_at", Instant),
    Column("looks", Integer, nullable=False, server_default=text("0")),
    Column("activation_checked_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("last_provisioned_at", Instant),
    Column("disabled_at", Instant),
    Column("deleted_at", Instant),
    Column("status_before_deletion", String(24)),
)

subdomains = Table(
    "subdomains",
    metadata,
    _id(),
    Column("domain_id", _ID, ForeignKey("domains.id", ondelete="RESTRICT"), nullable=False),
    Column("name", String(190), nullable=False),
    Column("enabled_at", Instant, nullable=False),
    Column("last_used_at", Instant, nullable=False),
    # Whether it was off before we switched it on: one that somebody else uses is never switched off.
    Column("is_ours", Boolean, nullable=False, server_default=true()),
    # By the database's clock: since when it has had no mailbox, and when switching it off is tried again.
    Column("idle_since", Instant),
    Column("is_retiring", Boolean, nullable=False, server_default=false()),
    Column("cleanup_next_attempt_at", Instant),
    UniqueConstraint("domain_id", "name"),
)

# What the last look at a domain's zone found, by the database's clock.
domain_routing = Table(
    "domain_routing",
    metadata,
    Column("domain_id", _ID, ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    Column("looked_at", Instant, nullable=False),
    Column("capacity", JSON, nullable=False),
    Column("conflicts", JSON, nullable=False),
)
mailboxes = Table(
    "mailboxes",
    metadata,
    _id(),
    _user(),
    Column("domain_id", _ID, ForeignKey("domains.id", ondelete="RESTRICT"), nullable=False),
    Column("local_part", String(32), nullable=False),
    Column("subdomain", String(190), nullable=False),
    Column("root_domain", String(253), nullable=False),
    Column("address", String(320), nullable=False),
    Column("source", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("routing_rule_id", String(64)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_received_at", Instant),
    Column("destroyed_at", Instant),
    Column("unread_count", Integer, nullable=False, server_default=text("0")),
    Column("message_count", Integer, nullable=False, server_default=text("0")),
    Column("stored_bytes", BigInteger, nullable=False, server_default=text("0")),
    # All by the database's clock: when Cloudflare last confirmed the rule; when the mailbox was found to have expired,
    # without a rule from then on; when the clean-up tries again what it could not do, and how often it did.
    Column("rule_checked_at", Instant),
    Column("expired_at", Instant),
    Column("cleanup_next_attempt_at", Instant),
    Column("cleanup_attempts", Integer, nullable=False, server_default=text("0")),
    Index(
        "uq_mailboxes_live_address",
        "address",
        unique=True,
        **_only("status <> 'destroyed'"),
    ),
    Index(None, "address"),
    Index(None, "user_id", "created_at", "id"),
    Index(None, "created_at", "id"),
    Index(None, "status", "expires_at"),
    Index(None, "domain_id", "subdomain"),
    Index(None, "destroyed_at", **_only("destroyed_at IS NOT NULL")),
    Index("ix_mailboxes_refused", "destroyed_at", **_only("routing_rule_id = 'unknown'")),
    Index("ix_mailboxes_receiving_until", "expires_at", **_only("status = 'active' AND expired_at IS NULL")),
    Index("ix_mailboxes_routed", "domain_id", **_only("routing_rule_id IS NOT NULL")),
    Index("ix_mailboxes_expired", "expired_at", **_only("status = 'active' AND expired_at IS NOT NULL")),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _user(),
    Column("mailbox_id", _ID, ForeignKey("mailboxes.id", ondelete="CASCADE"), nullable=False),
    Column("mailbox_address", String(320), nullable=False),
    Column("delivery_key", String(64), nullable=False),
    Column("envelope_from", Text, nullable=False),
    Column("envelope_to", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preview", Text, nullable=False),
    Column("from_name", Text),
    Column("from_address", Text),
    Column("received_at", Instant, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("attachment_count", Integer, nullable=False),
    Column("has_html", Boolean, nullable=False),
    Column("verification_code", String(8)),
    Column("verification_source", String(16)),
    Column("verification_method", String(16)),
    Column("verification_evidence", String(120)),
    Column("verification_word", String(64)),
    Column("verification_confidence", Float),
    Column("link", JSON(none_as_null=True)),
    Column("parse_status", String(16), nullable=False),
    Column("raw_location", Text, nullable=False),
    Column("door", String(16), nullable=False, server_default="smtp"),
    Column("read_at", Instant),
    # The row of a deleted message stays, emptied: its delivery key stops the same hand-over from storing it again.
    Column("deleted_at", Instant),
    # The same hand-over twice is one message; a new mailbox at the same address has messages of its own.
    UniqueConstraint("mailbox_id", "delivery_key"),
    _index_of_listed("mailbox_id", "received_at", "id"),
    _index_of_listed("user_id", "received_at", "id"),
    _index_of_listed("received_at", "id"),
    Index(None, "deleted_at", **_only("deleted_at IS NOT NULL")),
)

raw_messages = Table(
    "raw_messages",
    metadata,
    Column("message_id", _ID, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("zstd", LargeBinary, nullable=False),
)

rejections = Table(
    "rejections",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("door", String(16), nullable=False),
    Column("sender", String(320), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("code", String(64), nullable=False),
    Index(None, "at", "id"),
)

processes = Table(
    "processes",
    metadata,
    _id(),
    Column("beat_at", Instant, nullable=False),
    Column("claimed_until", Instant, nullable=False),
)

# Runs of jobs: an open run holds its key. What its steps returned is in the tables of the workflow engine.
runs = Table(
    "runs",
    metadata,
    _id(),
    Column("job", String(64), nullable=False),
    Column("key", String(320), nullable=False),
    Column("number", Integer, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", JSON(none_as_null=True)),
    Column("has_failed", Boolean, nullable=False, server_default=false()),
    Index("uq_runs_key_open", "key", unique=True, **_only("ended_at IS NULL")),
    Index(None, "job", "key", "number"),
    Index(None, "ended_at"),
)

facts = Table(
    "facts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

domain_events = Table(
    "domain_events",
    metadata,
    _id(),
    Column("domain_id", _ID, ForeignKey("domains.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("code", String(64)),
    Column("message", Text),
    Column("details", JSON, nullable=False),
    Index(None, "domain_id", "at"),
    Index(None, "at"),
)

# Changes, numbered in the order in which they became visible (`storage/tables/changes.py`). A message has one row for
# its arrival, a mailbox and a domain have one for their latest change: this table needs no sweep.
changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("user_id", _ID),
    Column("mailbox_id", _ID, ForeignKey("mailboxes.id", ondelete="CASCADE")),
    Column("message_id", _ID, ForeignKey("messages.id", ondelete="CASCADE")),
    Column("domain_id", _ID, ForeignKey("domains.id", ondelete="CASCADE")),
    Index(None, "mailbox_id", "seq"),
    Index(None, "user_id", "seq"),
    Index("uq_changes_message_id", "message_id", unique=True),
    Index("uq_changes_mailbox", "mailbox_id", unique=True, **_only("message_id IS NULL")),
    Index("uq_changes_domain", "domain_id", unique=True, **_only("domain_id IS NOT NULL")),
    sqlite_autoincrement=True,  # a number is never assigned twice, even when its row is deleted
)

# Who did what to what, in the order of writing. Rows stay when the users and things they name are deleted.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor_id", _ID),
    Column("actor", String(320), nullable=False),
    Column("credential_id", _ID),
    Column("action", String(48), nullable=False),
    Column("target_id", _ID),
    Column("target", String(320)),
    Column("address", String(64)),
    Column("request_id", String(128)),
    Column("details", JSON, nullable=False),
    Column("owner_id", _ID),
    Column("owner", String(320)),
    Index(None, "actor_id", "seq"),
    Index(None, "owner_id", "seq"),
    Index(None, "target_id", "seq"),
    Index(None, "action", "seq"),
    sqlite_autoincrement=True,
)

# The token buckets that several processes take tokens from.
buckets = Table(
    "buckets",
    metadata,
    Column("key", String(96), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "at"),
)
