"""What the tests of routing share: a router over the shipped rules."""

from __future__ import annotations

import pytest

from nlp.route.router import Router
from nlp.route.rulebase import Rulebase
from nlp.taxonomy import Taxonomy


@pytest.fixture(scope="session")
def router(taxonomy: Taxonomy) -> Router:
    return Router(Rulebase.read(taxonomy))
