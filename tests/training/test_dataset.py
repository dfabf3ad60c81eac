"""A dataset knows its fields and turns codes into columns."""

from __future__ import annotations

import pytest

from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import MISSING, Dataset


def made(codes: list[str], task: str = "tier") -> Dataset:
    petitions = [Petition(str(number), f"text {number}", f"title {number}") for number in range(len(codes))]
    return Dataset(petitions, {task: codes}, "a.csv", "0")


def test_it_is_as_long_as_its_petitions() -> None:
    assert len(made(["grid"] * 3)) == 3


def test_titles_and_texts_come_in_turn() -> None:
    assert made(["grid", "city"]).fields == ["title 0", "text 0", "title 1", "text 1"]


@pytest.mark.parametrize("task", TASKS)
def test_codes_become_the_columns_of_the_taxonomy(taxonomy: Taxonomy, task: str) -> None:
    codes = taxonomy.codes(task)
    assert made(codes[::-1], task).columns(task, taxonomy).tolist() == list(range(len(codes)))[::-1]


def test_what_nobody_labelled_is_missing(taxonomy: Taxonomy) -> None:
    first = taxonomy.codes("tier")[0]
    assert made(["", first, ""]).columns("tier", taxonomy).tolist() == [MISSING, 0, MISSING]


def test_an_unknown_label_is_named_with_row_and_column(taxonomy: Taxonomy) -> None:
    first = taxonomy.codes("tier")[0]
    with pytest.raises(InputError, match=r"a\.csv 第 3 行，列 tier：标签 'galaxy'"):
        made([first, "", "galaxy", first]).columns("tier", taxonomy)
