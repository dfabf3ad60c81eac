"""A work folder belongs to one run at a time, and is nobody's without its plan."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nlp.errors import InputError
from serving.backlog.folder import PLAN, Begun, Occupied, holding
from tests.serving.backlog.desk import plan

HOLD = """
import sys
from pathlib import Path
from serving.backlog.folder import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_what_is_begun_is_there_afterwards_and_only_for_its_owner(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    begun = Begun(plan(), dry=True)
    with holding(out) as folder:
        assert folder.begun() is None
        folder.begin(begun)
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    with holding(out) as folder:
        assert folder.begun() == begun
        folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_nothing_was_begun_goes_again(tmp_path: Path) -> None:
    with holding(tmp_path / "out.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_are_refused_even_from_another_process(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with holding(out), pytest.raises(Occupied), holding(out):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Occupied, match="另一个"), holding(out):
            pass
        other.kill()
    with holding(out):  # the lock ended with the process
        pass


def test_a_plan_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with holding(tmp_path / "out.csv") as folder:
        (folder.path / PLAN).write_text('{"plan": {}}', encoding="utf-8")
        with pytest.raises(InputError, match="--restart"):
            folder.begun()
        folder.clear()
        assert folder.begun() is None


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="不能建立"), holding(tmp_path / "nowhere" / "out.csv"):
        pass
