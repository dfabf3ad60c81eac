"""Parts: their names are those under which backlogs write them."""

from __future__ import annotations

from serving.backlog import finish, manifest
from serving.backlog.report import writing
from serving.batches import parts
from serving.batches.options import Format
from serving.batches.queue import DECIDE, FINISH, PREPARE
from serving.batches.worker import STEPS


def test_the_names_are_those_of_backlogs() -> None:
    assert parts.REJECTED == finish.REJECTED
    assert parts.MANIFEST == manifest.ENDING
    assert (parts.PAGE, parts.RECORD, parts.BOOK) == (writing.HTML, writing.JSON, writing.XLSX)


def test_every_format_has_a_type_and_every_step_is_done() -> None:
    assert set(parts.TYPES) == set(Format)
    assert set(STEPS) == {PREPARE, DECIDE, FINISH}
