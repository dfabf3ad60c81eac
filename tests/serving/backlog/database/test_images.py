"""Before-images: on disk whole, whatever happens while they are written."""

from __future__ import annotations

import gzip
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nlp.errors import InputError
from serving.backlog.database.images import Head, Image, Piece, open_images, read_head, read_pieces

HEAD = Head("run", "sqlite:///x", "petition", ("id",), ("jiesu_category",), ("jiesu_category",), 500)


def piece(number: int, word: str = "leak") -> Piece:
    return Piece(number, [Image([number], "d", [None], [word])], [([number, "x"], "gone")])


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "petition.images"
    with open_images(path) as images:
        images.begin(HEAD)
        images.add(piece(0))
        images.mark(0)
        images.add(piece(1))
    return path


def test_what_is_written_is_read(written: Path) -> None:
    assert read_head(written) == HEAD
    first, second = read_pieces(written)
    assert first == Piece(0, [Image([0], "d", [None], ["leak"])], [([0, "x"], "gone")], done=True)
    assert (second.number, second.done) == (1, False)
    with open_images(written) as images:
        assert (images.done, images.doubtful) == (1, second)


def test_only_its_owner_reads_it_and_everybody_can_unpack_it(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    lines = gzip.decompress(written.read_bytes()).splitlines()
    assert len(lines) == 4


def test_a_piece_that_was_written_again_counts_once(written: Path) -> None:
    with open_images(written) as images:
        images.add(piece(1, "noise"))
        images.mark(1)
    assert [one.rows[0].after for one in read_pieces(written)] == [["leak"], ["noise"]]


def test_a_torn_end_is_cut_off_wherever_it_is_torn(written: Path) -> None:
    """The disk was full, or the process was killed: what was whole before stays, and writing goes on after it."""
    whole = written.read_bytes()
    ends = [place for place in range(len(whole)) if whole.startswith(b"\x1f\x8b\x08", place)] + [len(whole)]
    assert len(ends) == 5
    for size in range(1, len(whole)):
        content = whole[:size] + bytes(7 * (size % 2))  # where power was lost, zeros may follow
        written.write_bytes(content)
        known = sum(content.startswith(whole[:end]) for end in ends) - 1
        with open_images(written) as images:
            assert (images.head is None, images.done) == (known == 0, int(known >= 3))
            assert written.stat().st_size == ends[known]


def test_damage_elsewhere_is_told(written: Path) -> None:
    whole = bytearray(written.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    written.write_bytes(whole)
    with pytest.raises(InputError, match="已损坏"):
        list(read_pieces(written))
    with pytest.raises(InputError, match="已损坏"), open_images(written):
        pass
    assert written.read_bytes() == whole


@pytest.mark.parametrize("content", [b"plain text", gzip.compress(b'{"format": 9}', mtime=0)])
def test_a_file_of_others_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "petition.images"
    path.write_bytes(content)
    with pytest.raises(InputError), open_images(path):
        pass
    assert path.read_bytes() == content


def test_an_empty_or_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="打不开"):
        read_head(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(InputError, match="没有改过任何行"):
        read_head(tmp_path / "empty")
    with pytest.raises(InputError, match="写不了"), open_images(tmp_path / "no" / "folder"):
        pass


def test_two_processes_do_not_change_a_table_at_once(written: Path) -> None:
    script = f"""
from pathlib import Path
from serving.backlog.database.images import open_images
with open_images(Path({str(written)!r})):
    pass
"""
    with open_images(written):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "另一个进程正在改这个表" in done.stderr
