"""Scopes: what a key is good for."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """Operator: decide, give feedback. Batch: backlogs too. Data: corrections and figures. Admin: everything."""

    operator = "operator"
    batch = "batch"
    data = "data"
    admin = "admin"

    def covers(self, wanted: Scope | None) -> bool:
        """Whether a key of this scope may do what asks for another; none asks for any key."""
        return wanted is None or wanted in COVERED[self]


COVERED = {
    Scope.operator: {Scope.operator},
    Scope.batch: {Scope.operator, Scope.batch},
    Scope.data: {Scope.data},
    Scope.admin: set(Scope),
}
