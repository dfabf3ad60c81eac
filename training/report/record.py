"""The record: the same report as plain data, for programs; no text of any petition stands in it."""

from __future__ import annotations

from typing import Any

from training.report.excerpts import line_of
from training.report.figures import bins, confusions, coverage, label_record, label_scores
from training.report.material import Material
from training.scores import TaskScore


def record(given: Material) -> dict[str, Any]:
    """The contract's keys first, then what else the page tells; none where it was not looked at."""
    extras = given.extras
    return given.report.as_dict() | {
        "day": given.day.isoformat(),
        "held_out": extras.held_out,
        "threshold": extras.threshold,
        "details": {task: _details(given, task, score) for task, score in given.report.tasks.items()},
        "curve": extras.curve and extras.curve.as_dict(),
        "drift": extras.drift and extras.drift.as_dict(),
        "findings": None if extras.findings is None else [one.as_dict() for one in extras.findings],
        "suspects": None if extras.suspects is None else _suspects(given),
    }


def _details(given: Material, task: str, score: TaskScore) -> dict[str, Any]:
    codes, rows = given.codes[task], given.rows[task]
    return {
        "macro_f1_interval": [round(edge, 4) for edge in given.intervals[task]],
        "among_three": round(score.among(3), 4),
        "labels": [label_record(one, codes[one.column]) for one in label_scores(score)],
        "confusions": [
            {
                "given": codes[one.given],
                "answered": codes[one.answered],
                "count": one.count,
                "lines": [line_of(given.dataset, rows[row]) for row in one.examples],
            }
            for one in confusions(score)
        ],
        "calibration": [[round(one.confidence, 4), round(one.right, 4), one.rows] for one in bins(score)],
        "coverage": coverage(score).round(4).tolist(),
    }


def _suspects(given: Material) -> dict[str, list[dict[str, Any]]]:
    lists = given.extras.suspects or {}
    return {
        task: [
            {
                "line": line_of(given.source, one.row),
                "given": given.codes[task][one.given],
                "suggested": given.codes[task][one.suggested],
                "confidence": round(one.confidence, 4),
                "instead": round(one.instead, 4),
            }
            for one in ranked
        ]
        for task, ranked in lists.items()
    }
