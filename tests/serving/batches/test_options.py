"""Options: names that are no paths, columns as JSON, and what is refused."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from nlp.errors import InputError
from serving.batches.options import LONGEST, SUFFIXES, Options, named, suffix_of


@example(". ")
@given(st.text())
def test_a_name_has_no_folder_and_no_end_that_nobody_sees(given: str) -> None:
    name = named(given)
    assert not set("/\\") & set(name)
    assert not any(category(sign)[0] == "C" for sign in name)
    assert len(name) <= LONGEST
    assert named(name) in {name, name.strip()}


@given(st.text(alphabet="工单a. ", max_size=300), st.sampled_from(sorted(SUFFIXES)))
def test_a_long_name_keeps_its_suffix(stem: str, suffix: str) -> None:
    assert suffix_of(named(f"x{stem}{suffix}")) == suffix


@pytest.mark.parametrize("name", ["", "a", "a.exe", ".csv", "a.csv.gz", "a.xls"])
def test_other_suffixes_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        suffix_of(name)


def test_columns_are_json() -> None:
    options = Options.model_validate({"columns": '{"text": "内容", "category": ["一级", "二级"]}'})
    assert options.columns == {"text": ["内容"], "category": ["一级", "二级"]}


@pytest.mark.parametrize("columns", ["", "x", "1", "[]", '{"text": 1}', '{"text": ["%s"]}' % ("x" * 201)])
def test_columns_that_are_none_are_refused(columns: str) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate({"columns": columns})
