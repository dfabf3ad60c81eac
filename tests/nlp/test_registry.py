"""The registry as it is read: which model is in use, and what is said of files that are broken."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import RefusedModel
from nlp.registry import (
    CURRENT,
    DEFAULT,
    HISTORY,
    Standing,
    chosen,
    current,
    history,
    stamp,
    standing,
    version_folder,
    versions,
)

IN_USE = Standing("letters-1a2b3c4d", "2026-11-23T09:00:00+08:00", ("default",))


def write(home: Path, text: str | Standing) -> None:
    (home / "models").mkdir(parents=True, exist_ok=True)
    content = json.dumps(text.as_dict()) if isinstance(text, Standing) else text
    (home / "models" / CURRENT).write_text(content, encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, model_folder: Path) -> Path:
    shutil.copytree(model_folder, tmp_path / "models" / IN_USE.name)
    return tmp_path


def test_without_a_promotion_nothing_is_named(tmp_path: Path) -> None:
    assert standing(tmp_path) is None
    assert current(tmp_path) is None
    assert chosen(tmp_path) is None
    assert (stamp(tmp_path), versions(tmp_path), history(tmp_path)) == ((), {}, [])


def test_the_promoted_model_is_named_and_a_named_folder_comes_first(home: Path) -> None:
    write(home, IN_USE)
    assert standing(home) == IN_USE
    assert chosen(home) == current(home) == home / "models" / IN_USE.name
    assert chosen(home, home / "own") == home / "own"


def test_after_a_rollback_to_the_default_nothing_is_named(home: Path) -> None:
    write(home, Standing())
    assert current(home) is None
    assert stamp(home) != ()


@pytest.mark.parametrize(
    "text",
    ["", '{"name": "a', "[]", "null", "7", '{"name": "a"}', '{"name": 7, "since": "", "previous": []}',
     '{"name": "a", "since": "", "previous": [3]}', '{"name": "a", "since": "", "previous": 3}', "\x00" * 64],
)  # fmt: skip
def test_a_broken_file_is_refused_by_its_name(home: Path, text: str) -> None:
    write(home, text)
    with pytest.raises(RefusedModel, match=CURRENT):
        current(home)


def test_a_version_that_is_gone_is_refused_by_its_name(home: Path) -> None:
    write(home, Standing("gone-00000000"))
    with pytest.raises(RefusedModel, match="gone-00000000"):
        current(home)


@pytest.mark.parametrize("name", ["", ".", "..", "../etc", "a/b", "a\\b", ".draft", "/", "a\nb", "x" * 201])
def test_a_version_is_no_path(home: Path, name: str) -> None:
    write(home, Standing(name))
    for asked in (lambda: version_folder(home, name), lambda: current(home)):
        with pytest.raises(RefusedModel):
            asked()


@given(st.text(max_size=30))
def test_whatever_the_name_a_version_stands_in_the_registry(name: str) -> None:
    home = Path("/nowhere")
    try:
        folder = version_folder(home, name)
    except RefusedModel:
        return
    assert Path(os.path.normpath(folder)).parent == home / "models"


def test_the_stamp_changes_with_the_file_and_with_the_manifest_of_the_version(home: Path) -> None:
    write(home, IN_USE)
    first = stamp(home)
    assert stamp(home) == first
    write(home, Standing(IN_USE.name, "2026-11-24T09:00:00+08:00", ("default", "default")))
    second = stamp(home)
    assert second != first
    manifest = home / "models" / IN_USE.name / "manifest.json"
    os.utime(manifest, ns=(0, manifest.stat().st_mtime_ns + 1))
    assert stamp(home) != second


def test_versions_are_listed_without_drafts_and_broken_ones(home: Path, model_folder: Path) -> None:
    for name in (".draft-1", DEFAULT, "broken"):
        shutil.copytree(model_folder, home / "models" / name)
    (home / "models" / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    assert list(versions(home)) == [DEFAULT, IN_USE.name]


def test_the_history_passes_over_a_line_that_was_cut_short(home: Path) -> None:
    lines = ['{"event": "promoted"}', '{"event": "prom', "7", '{"event": "refused"}']
    (home / "models" / HISTORY).write_text("\n".join(lines), encoding="utf-8")
    assert [event["event"] for event in history(home)] == ["promoted", "refused"]
