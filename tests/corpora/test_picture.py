"""The picture of the corpus: its Chinese is text in an SVG, and refused where a PNG could not show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora import picture
from corpora.gates import Corpus
from corpora.petitions import Row
from corpora.picture import draw
from nlp.errors import InputError
from nlp.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def whole(petitions: list[Row], taxonomy: Taxonomy) -> Corpus:
    return Corpus(petitions, {}, taxonomy)


def test_every_label_stands_in_the_picture(whole: Corpus, taxonomy: Taxonomy, tmp_path: Path) -> None:
    draw(whole, tmp_path / "mix.svg")
    text = (tmp_path / "mix.svg").read_text(encoding="utf-8")
    for task in ("category", "tier", "clock", "type"):
        assert [label.name for label in taxonomy.labels(task) if label.name not in text] == []
    assert "来信" in text


def test_the_same_corpus_gives_the_same_bytes(whole: Corpus, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        draw(whole, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_png_without_a_chinese_font_is_refused(
    whole: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "FONTS", ("No Such Font",))
    with pytest.raises(InputError, match="fonts-noto-cjk"):
        draw(whole, tmp_path / "mix.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mix.pdf", "mix", "mix.jsonl"])
def test_another_kind_of_file_is_refused(name: str, whole: Corpus, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.svg"):
        draw(whole, tmp_path / name)
