"""The report of a fit or an evaluation: JSON for programs, one HTML page and one workbook for people."""

from __future__ import annotations

from training.report.extras import Extras
from training.report.writing import write_report

__all__ = ["Extras", "write_report"]
