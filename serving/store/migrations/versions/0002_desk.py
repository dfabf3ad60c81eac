"""Tables of the desk: sessions and errands; and what the overview counts decisions by."""

from __future__ import annotations

import json
import zlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
LONGEST = 200  # characters of a name that is counted by: PostgreSQL's index takes no row over 2,704 bytes
RED_LINE = "红线规则"  # how the reason of a decision begins that a red line made urgent, when this was written
PART = 1000
OVERVIEW = ["at", "id", "category", "tier", "clock", "area", "unit", "channel", "needs_human", "red_line"]
decisions = sa.table("decisions", *map(sa.column, ("id", "clock", "unit", "channel", "red_line", "content")))


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("rate", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "errands",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("part", sa.Float(), nullable=True),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errands")),
    )
    op.create_index(op.f("ix_errands_state_id"), "errands", ["state", "id"], unique=False)
    _decisions()


def _decisions() -> None:
    """What the overview counts by. Of decisions that were there already, the red lines are found, the areas are not."""
    op.add_column("decisions", sa.Column("area", sa.String(), nullable=True))
    op.add_column("decisions", sa.Column("red_line", sa.String(length=64), nullable=True))
    for name in ("unit", "channel"):
        column = decisions.c[name]
        long = sa.func.length(column) > LONGEST
        op.execute(decisions.update().where(long).values({name: sa.func.substr(column, 1, LONGEST)}))
    _red_lines(op.get_bind())
    op.drop_index(op.f("ix_decisions_at"), "decisions")
    op.create_index("ix_decisions_overview", "decisions", OVERVIEW, unique=False)
    op.create_index(op.f("ix_decisions_due_at"), "decisions", ["due_at"], unique=False)


def _red_lines(connection: sa.Connection) -> None:
    """Only what is urgent can have crossed one."""
    column, after = decisions.c, ""
    while True:
        urgent = sa.select(column.id, column.content).where(column.clock == "emergency", column.id > after)
        part = connection.execute(urgent.order_by(column.id).limit(PART)).all()
        for row in part:
            if name := _red_line(row.content):
                connection.execute(decisions.update().where(column.id == row.id).values(red_line=name))
        if len(part) < PART:
            return
        after = part[-1].id


def _red_line(content: bytes) -> str:
    reasons = json.loads(zlib.decompress(content))["reasons"]
    reason: str = next((reason for reason in reasons if reason.startswith(RED_LINE)), "")
    return reason.partition("（")[2].partition("）")[0]
