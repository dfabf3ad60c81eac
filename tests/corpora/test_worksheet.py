"""What the XML of a sheet says that calamine does not."""

from __future__ import annotations

import pytest

from corpora.worksheet import cell_name, column_of, reach, without_value


@pytest.mark.parametrize(
    ("cell", "empty"),
    [
        (b'<c r="B2"><f>1+1</f><v>2</v></c>', False),
        (b'<c r="B2"><f>1+1</f></c>', True),
        (b'<c r="B2"><f>1+1</f><v></v></c><c r="C2"><v>3</v></c>', True),
        (b'<c r="B2"><f>1+1</f><v/></c>', True),
        (b'<c r="B2" s="1"><f t="shared" si="0"/><v>2</v></c>', False),
        (b'<x:c s="1" r="B2">\n<x:f t="shared" si="0"/>\n</x:c>', True),
        (b'<c r="B2" t="str"><f>A1&amp;"x"</f><v></v></c>', False),
        (b'<c r="B2"/><c r="C2"><v>1</v></c>', False),
    ],
)
def test_a_formula_has_its_value_or_none(cell: bytes, empty: bool) -> None:
    assert without_value(b'<row r="2"><c r="A2"><v>1</v></c>' + cell + b"</row>") == [(1, 1)] * empty


@pytest.mark.parametrize(("column", "name"), [(0, "A1"), (25, "Z1"), (26, "AA1"), (701, "ZZ1"), (702, "AAA1")])
def test_cells_are_named_as_excel_names_them(column: int, name: str) -> None:
    assert cell_name(0, column) == name
    assert column_of(name[:-1].encode()) == column


@pytest.mark.parametrize("quote", ["'", '"'])
def test_the_last_row_and_column_of_a_sheet_are_found(quote: str) -> None:
    xml = '<row r="2"><c r="A2"/><c s="1" r="AB2"/></row><x:row r="9"/>'.replace('"', quote).encode()
    assert reach(xml, 1000) == (9, 28)


def test_a_place_within_a_text_counts_for_nothing_where_it_would_be_too_much() -> None:
    xml = b'<row r="2"><c r="A2" t="inlineStr"><is><t>r="XFD7" and r="999"</t></is></c></row>'
    assert reach(xml, 1000) == (2, 1)
