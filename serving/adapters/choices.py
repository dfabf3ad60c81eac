"""Choices: what a labelling configuration of Label Studio asks, and in which words it wants the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

from nlp.errors import InputError
from nlp.taxonomy import TASKS, Label, Taxonomy

PLACE = "label_config"
DECLARATIONS = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
MOST_CHOICES = 50  # tags; a project asks a handful of questions
Attributes = Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """One `Choices` that asks for a task.

    name, to_name: as Label Studio wants them back. field: where the text stands in a task's data, like `text` or
    `letter.text`. choices: code → the choice that stands for it.
    """

    name: str
    to_name: str
    field: str
    task: str
    choices: Mapping[str, str]

    def code(self, choice: str) -> str | None:
        """The code that a choice stands for."""
        return next((code for code, named in self.choices.items() if named == choice), None)


def question(name: str, to_name: str, field: str, choices: Sequence[Attributes], taxonomy: Taxonomy) -> Question | None:
    """What a `Choices` asks: the task that it is named after, or else the one whose codes and names it offers most of.

    None where it offers nothing that the taxonomy holds.
    """
    tasks = [name.casefold()] if name.casefold() in TASKS else TASKS
    offers = {task: _offered(choices, taxonomy.labels(task)) for task in tasks}
    task = max(offers, key=lambda task: len(offers[task]))
    return Question(name, to_name, field, task, offers[task]) if offers[task] else None


def questions(config: str, taxonomy: Taxonomy) -> list[Question]:
    """What a configuration asks that the taxonomy answers; raises `InputError` for one that cannot be read."""
    reading = _Reading(config)
    found = []
    for attributes, choices in reading.choices:
        name, to_name = attributes.get("name", ""), attributes.get("toName", "")
        field = reading.values.get(to_name, "")
        asked = question(name, to_name, field.removeprefix("$"), choices, taxonomy)
        if asked and not field.startswith("$"):
            _refuse(f"Choices“{name}”的 toName“{to_name}”没有指向带 $字段 的标签")
        if asked:
            found.append(asked)
    return found


def _offered(choices: Sequence[Attributes], labels: Sequence[Label]) -> dict[str, str]:
    """Code → the choice named or aliased like the code or its name; an alias is what Label Studio keeps."""
    words = {word: label.code for label in labels for word in (label.name, label.code)}
    offered: dict[str, str] = {}
    for choice in choices:
        value, alias = choice.get("value", "").strip(), choice.get("alias", "").strip()
        code = words.get(alias) or words.get(value)
        if code:
            offered.setdefault(code, alias or value)
    return offered


class _Reading:
    """The tags of a configuration, read without building a tree, so that depth costs nothing.

    values: name → value of every tag that has both. choices: the attributes of each `Choices` and of its choices.
    """

    def __init__(self, config: str) -> None:
        self.values: dict[str, str] = {}
        self.choices: list[tuple[Attributes, list[Attributes]]] = []
        if DECLARATIONS.search(config):
            _refuse("不许有 DOCTYPE 和 ENTITY")
        parser = ParserCreate("utf-8")  # whatever encoding the text itself claims
        parser.StartElementHandler = self._begin
        try:
            parser.Parse(config.encode(), True)
        except ExpatError as error:
            _refuse(f"不是完整的 XML（第 {error.lineno} 行）")

    def _begin(self, tag: str, attributes: dict[str, Any]) -> None:
        if tag == "Choices":
            if len(self.choices) == MOST_CHOICES:
                _refuse(f"Choices 多于 {MOST_CHOICES} 个")
            self.choices.append((attributes, []))
        elif tag == "Choice" and self.choices:
            self.choices[-1][1].append(attributes)
        elif "name" in attributes and "value" in attributes:
            self.values[attributes["name"]] = attributes["value"]


def _refuse(reason: str) -> NoReturn:
    raise InputError(place=PLACE, reason=reason)
