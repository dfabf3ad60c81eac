"""The first pages are short, and the commands that they show are commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

import jiesu

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "README.en.md"]
PAGES_WITH_COMMANDS = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*.md")]
)
ENDS = {"|", ">", ">>", "<", "&&", "||", "&", ";", "2>"}


def commands(page: str) -> list[list[str]]:
    """The words of every line of a bash block that begins with `jiesu`, up to the first pipe."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.removeprefix("$ ").strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = []
    for line in lines:
        words = shlex.split(line.removeprefix(".venv/bin/"), comments=True)
        if words[:1] == ["jiesu"]:
            end = next((place for place, word in enumerate(words) if word in ENDS), len(words))
            found.append(words[1:end])
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_first_page_is_short_and_shows_a_command(page: str) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    assert 10 <= len(lines) <= 120
    assert commands(page)


def test_both_first_pages_show_the_same_commands() -> None:
    first, second = ([words[0] for words in commands(page) if words] for page in PAGES)
    assert first == second


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_every_command_shown_is_understood(page: str) -> None:
    for name, *arguments in commands(page):
        assert name in jiesu.COMMANDS
        group = typer.main.get_command(jiesu.program([name]))
        context = group.make_context("jiesu", [name, *arguments])
        while isinstance(context.command, typer.core.TyperGroup):
            _, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
            assert command is not None
            context = command.make_context(command.name, rest, parent=context)
        assert context.params


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_every_link_within_the_tree_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_page_of_the_profiles_is_what_its_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        jiesu.program(["route"])(["route", "compare", str(ROOT / "docs" / "profiles.jsonl")])
    printed = capsys.readouterr().out
    assert printed.count("`wenjiang`") == 3
    assert page.partition("<!-- begin -->\n")[2].removesuffix("<!-- end -->\n") == printed


def test_the_page_of_retraining_is_short_and_begins_with_four_commands() -> None:
    page = (ROOT / "docs" / "retrain.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 150
    assert [words[:2] for words in commands("docs/retrain.md")[:4]] == [
        ["test-set", "freeze"], ["fit", "工单.xlsx"], ["models", "promote"], ["models", "list"]
    ]  # fmt: skip
