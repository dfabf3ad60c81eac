"""The picture shows every row once, whatever the labels are called and however many there are."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from serving.backlog.report.sankey import FLOWS, LETTER, OTHERS, Flow, fitting, largest, sankey

NAMES = st.text(max_size=40).map(lambda name: name.strip())
MANY = st.dictionaries(st.tuples(NAMES, NAMES), st.integers(1, 10**7), max_size=60)


@given(MANY)
def test_no_row_is_lost_and_the_picture_is_whole(rows: dict[tuple[str, str], int]) -> None:
    flows = [Flow(*pair, count) for pair, count in rows.items()]
    assert sum(flow.rows for flow in largest(flows)) == sum(rows.values())
    root = ElementTree.fromstring(sankey(flows, "流向"))  # noqa: S314
    paths = root.findall(".//path")
    assert len(paths) == len(largest(flows))


def test_a_source_that_is_shown_keeps_its_rows() -> None:
    flows = [
        Flow(f"旧{source}", f"新{target}", 1000 - 10 * source - target) for source in range(40) for target in range(5)
    ]
    drawn = largest(flows)
    kept = {flow.source for flow in drawn} - {OTHERS}
    for name in kept:
        wanted = sum(flow.rows for flow in flows if flow.source == name)
        assert sum(flow.rows for flow in drawn if flow.source == name) == wanted
    assert len([flow for flow in drawn if OTHERS not in (flow.source, flow.target)]) == FLOWS


def test_names_do_not_run_into_the_bands() -> None:
    assert fitting("短", 100) == "短"
    long = fitting("很长的旧标签" * 20, 130)
    assert long.endswith("…")
    assert len(long) * LETTER <= 130 + LETTER
    top = [float(text.get("y", "")) for text in _texts("左")]
    assert all(after - before >= LETTER for before, after in pairwise(top))


def _texts(side: str) -> list[ElementTree.Element]:
    picture = sankey([Flow(f"{side}{number}", "一个", number + 1) for number in range(25)], "流向")
    root = ElementTree.fromstring(picture)  # noqa: S314
    return [text for text in root.iter("text") if text.get("text-anchor") == "end"]
