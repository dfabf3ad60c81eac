"""The record: the same report as plain data, for programs; no text of any row stands in it."""

from __future__ import annotations

from typing import Any

from serving.backlog.report.material import Material, mean
from serving.backlog.tally import NUMBERS


def record(given: Material) -> dict[str, Any]:
    """Counts first, then every flow; the sample by its rows alone."""
    tally = given.tally
    return {
        "plan": given.plan.as_dict() | {"id": given.plan.id},
        "taxonomy": given.taxonomy.name,
        "counts": {name: getattr(tally, name) for name in NUMBERS},
        "confidence": round(mean(given.moved), 4),
        "bins": [{"changed": moved, "others": others} for moved, others in given.bins],
        "changes": [
            {"old": one.old, "code": one.code, "rows": one.rows, "human": one.human, "same": one.same,
             "confidence": round(one.confidence, 4), "bins": list(one.bins)}
            for one in given.changes
        ],
        "units": [{"unit": unit, "rows": rows, "human": human} for unit, rows, human in given.units],
        "handed": [{"old": old, "unit": unit, "rows": rows} for (old, unit), rows in given.handed],
        "clocks": dict(given.by_clock),
        "months": dict(given.months),
        "overdue": given.overdue,
        "deadlines": {lie: sum(n[0] for n in held.values()) for lie, held in sorted(tally.deadlines.items())},
        "reasons": {reason: sum(n[0] for n in held.values()) for reason, held in sorted(tally.reasons.items())},
        "crosswalk": [
            {"old": one.old, "rows": one.rows, "reliability": round(one.reliability, 4),
             "likely": [{"name": name, "share": round(part, 4)} for name, part in one.likely]}
            for one in given.crossings
        ],
        "unknown": [{"old": old, "rows": rows} for old, rows in given.unknown],
        "rejects": {reason: sum(n[0] for n in held.values()) for reason, held in sorted(tally.rejects.items())},
        "sample": [{"number": one.number, "sheet": one.sheet, "code": one.code} for one in tally.sample],
        "kept": [{"number": one.number, "sheet": one.sheet, "code": one.code} for one in tally.kept],
    }  # fmt: skip
