"""The change report: what a run changes or would change, for people who have to answer for it."""

from __future__ import annotations

from serving.backlog.report.review import Review, reviewed
from serving.backlog.report.writing import write_report

__all__ = ["Review", "reviewed", "write_report"]
