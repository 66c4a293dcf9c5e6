"""Changes in the order in which they became visible; read state; deleted messages; lists by page."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LISTS = (("mailbox_id", "received_at", "id"), ("user_id", "received_at", "id"), ("received_at", "id"))


def upgrade() -> None:
    op.add_column("mailboxes", sa.Column("unread_count", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.drop_index("ix_mailboxes_user_id_created_at", "mailboxes")
    op.create_index("ix_mailboxes_address", "mailboxes", ["address"])
    op.create_index("ix_mailboxes_user_id_created_at_id", "mailboxes", ["user_id", "created_at", "id"])
    op.create_index("ix_mailboxes_created_at_id", "mailboxes", ["created_at", "id"])
    op.add_column("messages", sa.Column("read_at", Instant(), nullable=True))
    op.add_column("messages", sa.Column("deleted_at", Instant(), nullable=True))
    kept = sa.text("deleted_at IS NULL")
    for columns in _LISTS:
        name = f"ix_messages_{'_'.join(columns)}"
        op.drop_index(name, "messages")
        op.create_index(name, "messages", list(columns), sqlite_where=kept, postgresql_where=kept)
    _create_changes()
    op.execute(
        "INSERT INTO changes (user_id, mailbox_id, message_id)"
        " SELECT user_id, mailbox_id, id FROM messages ORDER BY received_at, id"
    )
    op.execute(
        "UPDATE mailboxes SET unread_count = (SELECT count(*) FROM messages WHERE messages.mailbox_id = mailboxes.id)"
    )


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=True),
        sa.Column("mailbox_id", sa.String(length=48), nullable=True),
        sa.Column("message_id", sa.String(length=48), nullable=True),
        sa.Column("domain_id", sa.String(length=48), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_changes_mailbox_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_changes_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_changes_domain_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_mailbox_id_seq", "changes", ["mailbox_id", "seq"])
    op.create_index("ix_changes_user_id_seq", "changes", ["user_id", "seq"])
    op.create_index("uq_changes_message_id", "changes", ["message_id"], unique=True)
    for name, column, condition in (
        ("uq_changes_mailbox", "mailbox_id", "message_id IS NULL"),
        ("uq_changes_domain", "domain_id", "domain_id IS NOT NULL"),
    ):
        only = sa.text(condition)
        op.create_index(name, "changes", [column], unique=True, sqlite_where=only, postgresql_where=only)
