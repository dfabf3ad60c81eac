"""What a crash leaves is cut back to the last whole chunk, and a file that is not as told is found out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from serving.backlog.spool import BODY, REJECTS, Spool, sound


def test_what_comes_after_the_last_whole_chunk_is_cut_off(tmp_path: Path) -> None:
    with Spool(tmp_path, {}, {}) as spool:
        spool.add({BODY: b"one", REJECTS: b""})
        sizes, checks = dict(spool.sizes), dict(spool.checks)
        spool.add({BODY: b"two", REJECTS: b"half"})
    with Spool(tmp_path, sizes, checks) as spool:
        spool.add({BODY: b"zwei"})
        assert spool.checks[BODY] == crc32(b"onezwei")
    assert (tmp_path / BODY).read_bytes() == b"onezwei"
    assert (tmp_path / REJECTS).read_bytes() == b""


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=6), st.data())
def test_marks_are_borne_out_up_to_the_first_changed_byte(parts: list[bytes], data: st.DataObject) -> None:
    whole, marks = b"", []
    for part in parts:
        whole += part
        marks.append((len(whole), crc32(whole)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / BODY
        path.write_bytes(whole)
        assert sound(path, marks) == len(marks)
        if whole:
            place = data.draw(st.integers(0, len(whole) - 1))
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert sound(path, marks) == sum(size <= place for size, _ in marks)


def test_a_file_that_is_too_short_bears_out_less(tmp_path: Path) -> None:
    (tmp_path / BODY).write_bytes(b"one")
    assert sound(tmp_path / BODY, [(3, crc32(b"one")), (6, crc32(b"onetwo"))]) == 1
