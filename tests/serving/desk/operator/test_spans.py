"""Spans: what the page draws by them is what the store keeps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.reader import Reader
from serving.desk.operator.spans import Span, masks
from tests.serving.desk.operator.conftest import LEAK, NAME, PHONE

READER = Reader()
PIECES = (
    "😀",
    "𠮷",
    f"我叫{NAME}，",
    PHONE,
    "139 8765 4321",
    "<b>",
    "</b>",
    "&amp;",
    "\n",
    "电话：",
    LEAK,
    "ab@c.cn",
    "[",
    "]",
)


def drawn(text: str, spans: list[Span]) -> str:
    """A text as the page draws it."""
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], span.text]
        at = span.end
    return "".join([*pieces, text[at:]])


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join))
def test_a_text_without_its_hidden_parts_is_the_masked_one(text: str) -> None:
    reading = READER.fields([text, text])
    for number, field in enumerate(("title", "text")):
        mine = [span for span in masks(reading) if span.field == field]
        assert drawn(text, mine) == reading.masked(number)
