"""The tables of the store; times are whole milliseconds since 1970 (UTC), so that both databases order them alike."""

from __future__ import annotations

from sqlalchemy import (
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
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
ULID, CODE, NAME = String(26), String(64), String()  # names come from outside and may be of any length


decisions = Table(
    "decisions",
    metadata,
    Column("id", ULID, primary_key=True),
    Column("petition", NAME, nullable=False),  # the number that the source gave it
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger),
    Column("due_at", BigInteger),
    Column("category", CODE, nullable=False),
    Column("tier", CODE, nullable=False),
    Column("clock", CODE, nullable=False),
    Column("type", CODE, nullable=False),
    Column("confidence", Float, nullable=False),  # of the category
    Column("needs_human", Boolean, nullable=False),
    Column("profile", CODE, nullable=False),
    Column("unit", NAME, nullable=False),
    Column("model", NAME, nullable=False),
    Column("channel", NAME, nullable=False),
    Column("key", CODE, nullable=False),  # whose key asked
    Column("subject", String(64)),  # keyed hash of the caller's number: finds one person's records
    Column("content", LargeBinary, nullable=False),  # the decision as JSON, masked, deflated
    Column("area", NAME),  # the unit that covers the first place that the gazetteer knows; empty where it knows none
    Column("red_line", CODE),  # the name of the one that made it urgent; empty where none did
    # All that the overview counts by, so that it reads no row itself.
    Index(
        "ix_decisions_overview", "at", "id", "category", "tier", "clock", "area", "unit", "channel", "needs_human",
        "red_line",
    ),
    Index(None, "due_at"),
    Index(None, "petition"),
    Index(None, "subject"),
)  # fmt: skip
"""What was decided, in masked text only."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", ULID, primary_key=True),
    Column("decision", ULID, ForeignKey("decisions.id", ondelete="CASCADE"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("verdict", CODE, nullable=False),
    Column("category", CODE),
    Column("tier", CODE),
    Column("clock", CODE),
    Column("type", CODE),
    Column("reason", String, nullable=False),  # masked
    Column("unit", NAME, nullable=False),  # that gave the ticket back
    Column("operator", NAME, nullable=False),
    Column("key", CODE, nullable=False),
    Column("digest", String(64), nullable=False),  # of all that was said: the same said twice is one feedback
    UniqueConstraint("decision", "digest"),
    Index(None, "at"),
)
"""What operators said of decisions."""

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", ULID, primary_key=True),
    Column("decision", ULID, ForeignKey("decisions.id", ondelete="CASCADE"), nullable=False),
    Column("event", CODE, nullable=False),
    Column("unit", NAME, nullable=False),
    Column("at", BigInteger, nullable=False),  # when it happened
    Column("recorded_at", BigInteger, nullable=False),
    Column("satisfied", Boolean),
    Column("caller_resolved", Boolean),
    Column("key", CODE, nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("decision", "digest"),
    Index(None, "at"),
)
"""What became of petitions."""

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ULID, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("action", CODE, nullable=False),
    Column("object", NAME, nullable=False),
    Column("outcome", CODE, nullable=False),
    Column("model", NAME, nullable=False),
    Column("rule", NAME, nullable=False),
    Column("detail_digest", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at"),
)
"""The chain: each record's hash is keyed and covers the one before it."""

audit_details = Table(
    "audit_details",
    metadata,
    Column("id", ULID, primary_key=True),  # of the audit record
    Column("subject", String(64)),
    Column("content", LargeBinary, nullable=False),  # JSON with a salt of its own
    Index(None, "subject"),
)
"""What of a record is about a person: may be deleted, for the chain holds its digest alone."""

audit_marks = Table(
    "audit_marks",
    metadata,
    Column("name", CODE, primary_key=True),  # head: the last record; checkpoint: the last one that retention pruned
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("signature", String(64), nullable=False),
)
"""Where the chain begins and ends, signed."""

keys = Table(
    "keys",
    metadata,
    Column("id", CODE, primary_key=True),
    Column("hash", String(64), nullable=False),  # HMAC-SHA-256 of the secret part under the server's secret
    Column("scope", CODE, nullable=False),
    Column("name", NAME, nullable=False),
    Column("rate", CODE, nullable=False),  # like 600/minute
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
"""Who may come in."""

requests = Table(
    "requests",
    metadata,
    Column("key", CODE, primary_key=True),
    Column("name", NAME, primary_key=True),  # the Idempotency-Key
    Column("digest", String(64), nullable=False),  # of method, path and body
    Column("owner", ULID, nullable=False),  # whoever is at it
    Column("begun_at", BigInteger, nullable=False),
    Column("status", Integer),  # empty while it is in flight
    Column("content", LargeBinary),  # the first answer, as it went out
    Index(None, "begun_at"),
)
"""Requests with an Idempotency-Key, and their first answers."""

rates = Table(
    "rates",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
"""How much of each limit is used up in its present window, for all instances together."""

calls = Table(
    "calls",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("key", CODE, primary_key=True),  # nobody sees another key's calls
    Column("at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # turns, masked, and the answers so far
    Index(None, "at"),
)
"""Calls that are being spoken."""

events = Table(
    "events",
    metadata,
    Column("id", ULID, primary_key=True),
    Column("type", CODE, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # a CloudEvent as JSON
    Index(None, "at"),
)
"""What happened and somebody wants to be told of."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("event", ULID, ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    Column("target", NAME, primary_key=True),
    Column("state", CODE, nullable=False),  # waiting, done, dead
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),  # also until when a sender has claimed it
    Column("error", NAME, nullable=False),
    Index(None, "target", "state", "next_at"),
)
"""Who is to be told, and how that goes."""

jobs = Table(
    "jobs",
    metadata,
    Column("name", CODE, primary_key=True),
    Column("next_at", BigInteger, nullable=False),  # also until when somebody has claimed it
    Column("ended_at", BigInteger),
    Column("outcome", NAME, nullable=False),
)
"""What recurs, and is done by one process at a time: retention, drift."""

weeks = Table(
    "weeks",
    metadata,
    Column("week", String(8), primary_key=True),  # ISO, like 2026-W48
    Column("model", NAME, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # figures alone, as JSON
)
"""What petitions were like, week by week, beside what the model had learned."""

batches = Table(
    "batches",
    metadata,
    Column("id", ULID, primary_key=True),
    Column("key", CODE, nullable=False),  # nobody sees another key's batches
    Column("at", BigInteger, nullable=False),
    Column("state", CODE, nullable=False),  # waiting, running, done, failed, cancelled
    Column("reason", NAME, nullable=False),  # why it failed
    Column("name", NAME, nullable=False),  # of the file, as whoever sent it calls it
    Column("asked", LargeBinary, nullable=False),  # how it is to be decided, as JSON
    Column("model", NAME, nullable=False),
    Column("chunks", Integer),  # empty until the file was read once
    Column("done", Integer, nullable=False),  # chunks
    Column("read", BigInteger, nullable=False),  # rows: read = decided + human + rejected
    Column("decided", BigInteger, nullable=False),
    Column("human", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("begun_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("removed_at", BigInteger),  # its files
    Index(None, "key", "id"),
    Index(None, "state", "ended_at"),
)
"""Backlogs that were sent by HTTP; their rows stand in files alone."""

batch_jobs = Table(
    "batch_jobs",
    metadata,
    Column("batch", ULID, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # 0 prepares, from 1 a chunk each, -1 finishes
    Column("step", CODE, nullable=False),  # prepare, decide, finish
    Column("state", CODE, nullable=False),  # waiting, done
    Column("owner", CODE, nullable=False),  # the worker that has claimed it
    Column("until", BigInteger, nullable=False),  # the end of its claim; nobody takes it up before
    Column("attempts", Integer, nullable=False),
    Index(None, "state", "number", "batch"),
)
"""What is to be done for each batch, a job a chunk."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),  # keyed hash of the token in the browser's cookie
    Column("key", CODE, nullable=False),  # with which somebody signed in, or the bearer of a token
    Column("name", NAME, nullable=False),
    Column("scope", CODE, nullable=False),
    Column("rate", CODE, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
)
"""Who has signed in at a page."""

errands = Table(
    "errands",
    metadata,
    Column("id", ULID, primary_key=True),
    Column("key", CODE, nullable=False),  # who asked for it
    Column("who", NAME, nullable=False),  # the name of whoever that is
    Column("at", BigInteger, nullable=False),
    Column("state", CODE, nullable=False),  # waiting, running, stopping, done, failed, cancelled
    Column("kind", CODE, nullable=False),  # fit, promote, rollback, freeze, next, apply, undo
    Column("name", NAME, nullable=False),  # what it is about, like the file as whoever sent it calls it
    Column("asked", LargeBinary, nullable=False),  # how, as JSON
    Column("step", NAME, nullable=False),  # what it is at, for people
    Column("part", Float),  # of the work that is done, 0 to 1; empty where nobody knows
    Column("said", LargeBinary, nullable=False),  # what the command told, deflated
    Column("owner", CODE, nullable=False),  # the process that works at it
    Column("until", BigInteger, nullable=False),  # the end of its claim
    Column("attempts", Integer, nullable=False),
    Column("begun_at", BigInteger),
    Column("ended_at", BigInteger),
    Index(None, "state", "id"),
)
"""What people have this machine do from the pages, one at a time: retrain, promote, change a table, take it back."""

PASSING = frozenset({"sessions", "errands"})
"""What no back-up holds: one that is put back would sign people in again who had left, and repeat what they asked."""
