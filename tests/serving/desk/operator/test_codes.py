"""What can be chosen, and how it sounds: every reading of a character counts."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from nlp.taxonomy import TASKS, Taxonomy
from serving.desk.operator.codes import codes, readings


@pytest.mark.parametrize(
    ("character", "some"),
    [("行", {"hang", "xing"}), ("重", {"zhong", "chong"}), ("长", {"chang", "zhang"}), ("乐", {"le", "yue"}),
     ("绿", {"lv", "lu"}), ("女", {"nv", "nu"}), ("漏", {"lou"}), ("7", {"7"}), ("·", {"·"}), ("A", {"a"})],
)  # fmt: skip
def test_every_reading_is_there(character: str, some: set[str]) -> None:
    assert some <= set(readings(character))


def test_every_code_of_the_taxonomy_can_be_found(desk: TestClient, taxonomy: Taxonomy) -> None:
    told = desk.get("/desk/taxonomy").json()
    assert list(told) == list(TASKS)
    for task in TASKS:
        assert [code["code"] for code in told[task]] == taxonomy.codes(task)
    leak = next(code for code in told["category"] if code["code"] == "leak")
    assert leak == {
        "code": "leak",
        "name": "漏水渗水",
        "path": [taxonomy.paths["leak"][0]],
        "sounds": [["lou"], ["shui"], ["shen", *leak["sounds"][2][1:]], ["shui"]],
    }
    assert all(sound for code in codes(taxonomy)["category"] for sound in code.sounds)


def test_the_page_is_there_and_says_what_it_needs(desk: TestClient) -> None:
    page = desk.get("/desk")
    assert page.status_code == 200
    assert 'data-read="20000"' in page.text
    assert "style=" not in page.text
    english = desk.get("/desk?lang=en").text
    assert "Ticket number" in english
