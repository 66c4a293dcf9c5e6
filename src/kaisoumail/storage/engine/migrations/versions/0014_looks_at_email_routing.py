"""What the last look at a zone found; active domains are due for one, spread over a day."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ONE_DAY = 86_400_000


def upgrade() -> None:
    op.create_table(
        "domain_routing",
        sa.Column("domain_id", sa.String(48), sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("looked_at", Instant(), nullable=False),
        sa.Column("capacity", sa.JSON(), nullable=False),
        sa.Column("conflicts", sa.JSON(), nullable=False),
    )
    domains = sa.table("domains", *map(sa.column, ("id", "status", "deleted_at", "next_look_at", "updated_at")))
    active = sa.select(domains.c.id, domains.c.updated_at).where(
        domains.c.status == "active", domains.c.deleted_at.is_(None)
    )
    rows = op.get_bind().execute(active.order_by(domains.c.id)).all()
    for number, row in enumerate(rows):
        due = row.updated_at + number * _ONE_DAY // len(rows)
        op.execute(domains.update().where(domains.c.id == row.id).values(next_look_at=due))
