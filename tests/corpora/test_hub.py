"""Data sets in the Hugging Face form, from a folder; without a network a name is one clear error."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from corpora.hub import read_hub
from nlp.errors import InputError

LABELS = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["漏水", "噪声"])})


@pytest.fixture
def rows() -> datasets.Dataset:
    return datasets.Dataset.from_dict({"text": ["甲", "乙", "丙"], "label": [1, 0, None]}, features=LABELS)


@pytest.fixture(autouse=True)
def quiet() -> None:
    datasets.disable_progress_bars()


def test_a_saved_folder_is_read_with_the_names_of_its_labels(tmp_path: Path, rows: datasets.Dataset) -> None:
    rows.save_to_disk(str(tmp_path / "set"))
    table = read_hub(str(tmp_path / "set"))
    assert table.rows.to_dict() == {"text": ["甲", "乙", "丙"], "label": ["噪声", "漏水", ""]}
    assert table.lines == [1, 2, 3]


def test_a_split_is_named_after_a_colon(tmp_path: Path, rows: datasets.Dataset) -> None:
    datasets.DatasetDict({"train": rows, "test": rows.select([2])}).save_to_disk(str(tmp_path / "set"))
    assert len(read_hub(str(tmp_path / "set")).rows) == 3
    assert len(read_hub(f"{tmp_path / 'set'}:test").rows) == 1
    with pytest.raises(InputError, match=r"没有 dev 这一份；有：train、test"):
        read_hub(f"{tmp_path / 'set'}:dev")


def test_the_only_split_needs_no_name(tmp_path: Path, rows: datasets.Dataset) -> None:
    datasets.DatasetDict({"test": rows}).save_to_disk(str(tmp_path / "set"))
    assert len(read_hub(str(tmp_path / "set")).rows) == 3


def test_a_split_of_a_whole_set_is_refused(tmp_path: Path, rows: datasets.Dataset) -> None:
    rows.save_to_disk(str(tmp_path / "set"))
    with pytest.raises(InputError, match="不分份"):
        read_hub(f"{tmp_path / 'set'}:train")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save_to_disk"):
        read_hub(str(tmp_path))


@pytest.mark.parametrize("name", ["数据 表", "a/b/c", "../x", "/nowhere/at/all", ""])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"没有这个文件|save_to_disk"):
        read_hub(name)


def test_without_a_network_a_name_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", "https://hub.invalid")  # no name server knows .invalid
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    for key in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(key, raising=False)
        monkeypatch.delenv(key.upper(), raising=False)
    with pytest.raises(InputError, match="连不上网") as error:
        read_hub("yunxi/petitions:train")
    assert "\n" not in str(error.value)


def test_offline_a_name_that_was_never_loaded_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="没有这个文件") as error:
        read_hub("yunxi/petitions")
    assert "\n" not in str(error.value)
