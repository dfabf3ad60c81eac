"""The kinds of events: the `type` of each CloudEvent, by the name that a target asks for it."""

from __future__ import annotations

DECIDED = "cn.jiesu.decision.made"
CORRECTED = "cn.jiesu.decision.corrected"
RED_LINE = "cn.jiesu.decision.redline"
PROMOTED = "cn.jiesu.model.promoted"
DRIFTED = "cn.jiesu.drift.passed"
BATCH = "cn.jiesu.batch.done"
KINDS = (DECIDED, CORRECTED, RED_LINE, PROMOTED, DRIFTED, BATCH)
PING = "cn.jiesu.ping"  # sent by hand alone, to try a target
EVERY = "*"  # what a target asks for that wants them all
