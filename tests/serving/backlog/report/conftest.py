"""Runs that reports tell of: invented, small ones, and some that are made to break a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corpora.petitions import Row as Written
from corpora.rows.row import Row
from nlp.decider import Decider
from nlp.taxonomy import Taxonomy
from serving.backlog.deciding import Deciding
from serving.backlog.former import learned
from serving.backlog.report.material import Material
from serving.backlog.tally import Tally
from tests.serving.backlog.backlog import Listed, plan_of, row_of

Make = Callable[[Callable[[int, Written], str]], Material]


@pytest.fixture(scope="session")
def make(decider: Decider, corpus: list[Written], taxonomy: Taxonomy) -> Make:
    """A run over 400 rows whose old labels a function of number and row names."""

    def made(old: Callable[[int, Written], str]) -> Material:
        rows = [row_of(number, one, old(number, one)) for number, one in enumerate(corpus[:400], 2)]
        rows[1] = Row(3, (), "列数不对")
        former = learned(Listed(rows), plan_of(), decider)
        return Material(
            Tally.of(plan_of(), Deciding(plan_of(), decider, former).answered(rows)), plan_of(), taxonomy, former
        )

    return made


@pytest.fixture(scope="session")
def given(make: Make, taxonomy: Taxonomy) -> Material:
    """Old labels that are the parents of the categories, some rows with the category itself or a label seen once."""
    return make(
        lambda number, one: (
            "偶见" if number == 9 else one.category if number % 5 == 0 else taxonomy.paths[one.category][0]
        )
    )
