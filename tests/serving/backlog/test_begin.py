"""What is there already is neither overwritten nor mixed with something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.errors import UnknownProfile
from serving.backlog import run
from serving.backlog.begin import Different, Existing, Unfinished, check_profile
from serving.backlog.rules import rules_digest
from serving.settings import Settings
from tests.serving.backlog.desk import Desk, read, tickets, written


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.fixture
def half(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk where out.csv is half done."""
    written(desk / "in.csv", tickets(30))
    whole = run.record

    def kill(spool: object, ledger: object, number: int, done: object) -> None:
        whole(spool, ledger, number, done)  # type: ignore[arg-type]
        if number == 1:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(run, "record", kill)
        with pytest.raises(Killed):
            desk.batch("in.csv", "out.csv")
    return desk


def test_half_a_run_is_not_begun_again_unasked(half: Desk) -> None:
    with pytest.raises(Unfinished, match=r"--resume.*--restart") as refused:
        half.batch("in.csv", "out.csv")
    assert refused.value.exit_code == 2
    half.batch("in.csv", "out.csv", restart=True, now="2021-01-01T00:00:00+08:00")
    assert {row[-2] for row in read(half / "out.csv")[1:]} == {"2021-01-01T00:00:00+08:00"}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"chunk": 7}, "--chunk"), ({"now": "2021-01-01T00:00:00+08:00"}, "--now"), ({"escape": True}, "输出的写法"),
        ({"dry": True}, "--dry-run"), ({"delimiter": ","}, "读法"), ({"columns": {"title": ["诉求内容"]}}, "列的用法"),
    ],
)  # fmt: skip
def test_another_plan_does_not_go_on_and_says_what_differs(half: Desk, given: dict[str, object], word: str) -> None:
    if "columns" in given:
        given = {"columns": {"title": ["工单编号"], "id": ["标题"]}}
    with pytest.raises(Different) as refused:
        half.batch("in.csv", "out.csv", resume=True, **given)  # type: ignore[arg-type]
    assert word in str(refused.value)


def test_another_input_or_other_rules_do_not_go_on(half: Desk, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "notes.txt").write_text("本单位的", encoding="utf-8")
    other = Desk(half.settings.model_copy(update={"rules": rules}), half.folder)
    with pytest.raises(Different, match="规则文件"):
        other.batch("in.csv", "out.csv", resume=True)
    written(half / "in.csv", tickets(31))
    with pytest.raises(Different, match="输入的内容"):
        half.batch("in.csv", "out.csv", resume=True)


def test_an_output_that_is_there_stays_unless_somebody_says_so(desk: Desk) -> None:
    written(desk / "in.csv", tickets(3))
    (desk / "out.csv").write_text("旧的", encoding="utf-8")
    with pytest.raises(Existing, match="--overwrite"):
        desk.batch("in.csv", "out.csv")
    assert (desk / "out.csv").read_text(encoding="utf-8") == "旧的"
    desk.batch("in.csv", "out.csv", overwrite=True)
    assert len(read(desk / "out.csv")) == 4


def test_resume_without_a_ledger_begins_anew_and_after_the_end_does_nothing(desk: Desk) -> None:
    written(desk / "in.csv", tickets(3))
    first = desk.batch("in.csv", "out.csv", resume=True)
    before = (desk / "out.csv").stat().st_mtime_ns
    again = desk.batch("in.csv", "out.csv", resume=True, now="")
    assert again["output"] == first["output"]
    assert (desk / "out.csv").stat().st_mtime_ns == before
    written(desk / "in.csv", tickets(4))
    with pytest.raises(Existing):
        desk.batch("in.csv", "out.csv", resume=True)


def test_an_unknown_profile_is_told_before_anything_is_begun(equipped: Path) -> None:
    check_profile(Settings(home=equipped))
    with pytest.raises(UnknownProfile, match="plain"):
        check_profile(Settings(home=equipped, profile="没有"))


def test_rules_have_one_digest_that_depends_on_their_content(tmp_path: Path) -> None:
    plain = rules_digest(None)
    assert rules_digest(tmp_path) == plain == rules_digest(None)
    (tmp_path / "catalogue.csv").write_text("x", encoding="utf-8")
    changed = rules_digest(tmp_path)
    (tmp_path / "catalogue.csv").write_text("y", encoding="utf-8")
    assert len({plain, changed, rules_digest(tmp_path)}) == 3
