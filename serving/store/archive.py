"""An archive: a back-up's file as it is read, checked before anything of it is believed."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nlp.errors import InputError
from serving.store.manifest import NAME, SECRET, Manifest, read_manifest

MANIFEST = 16 * 1024 * 1024  # bytes of the largest manifest
PIECE = 1024 * 1024
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


class Archive:
    """The members of a back-up, by name. Raises `InputError` for anything that the manifest does not name."""

    def __init__(self, place: Path, tar: tarfile.TarFile) -> None:
        self._place = place
        self._tar = tar
        first = tar.next()
        if first is None or first.name != NAME or first.type not in PLAIN or first.size > MANIFEST:
            raise self._fault("不是 jiesu 的备份")
        self.manifest: Manifest = read_manifest(str(place), self._file(first).read())
        self._members = self._listed()

    def check(self) -> None:
        """Raise `InputError` where a member is not what the manifest says."""
        for name, told in self.manifest.files.items():
            digest = hashlib.sha256()
            with self.open(name) as file:
                while piece := file.read(PIECE):
                    digest.update(piece)
            if digest.hexdigest() != told.sha256:
                raise self._fault(f"{name} 已损坏（SHA-256 不符）")

    def check_seal(self, secret: bytes) -> None:
        """Raise `InputError` where the manifest was changed by somebody without the secret."""
        if not self.manifest.is_sealed(secret):
            raise self._fault("清单的印记不符：备份被改动过")

    def open(self, name: str) -> IO[bytes]:
        """A member's content."""
        return self._file(self._members[name])

    @property
    def secret(self) -> bytes | None:
        """The server's secret, where the back-up holds it."""
        return self.open(SECRET).read() if SECRET in self._members else None

    def names(self, folder: str) -> list[str]:
        """The members under a folder."""
        return [name for name in self._members if name.startswith(f"{folder}/")]

    def extract(self, folder: str, target: Path) -> None:
        """Write the members under a folder into another one."""
        target.mkdir(parents=True)
        for name in self.names(folder):
            path = target / name.removeprefix(f"{folder}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with self.open(name) as source, path.open("xb") as out:
                shutil.copyfileobj(source, out, PIECE)

    def _listed(self) -> dict[str, tarfile.TarInfo]:
        members: dict[str, tarfile.TarInfo] = {}
        while (info := self._tar.next()) is not None:
            told = self.manifest.files.get(info.name)
            if told is None or info.name in members or info.type not in PLAIN or info.issparse():
                raise self._fault(f"有不该有的内容 {info.name!r}")
            tarfile.data_filter(info, ".")  # what the manifest's own rule for names would let pass
            if info.size != told.size:
                raise self._fault(f"{info.name} 的大小不符")
            members[info.name] = info
        lacking = sorted(self.manifest.files.keys() - members.keys())
        if lacking:
            raise self._fault(f"不完整，缺少 {lacking[0]}")
        return members

    def _file(self, info: tarfile.TarInfo) -> IO[bytes]:
        file = self._tar.extractfile(info)
        if file is None:
            raise self._fault(f"{info.name} 不是文件")
        return file

    def _fault(self, reason: str) -> InputError:
        return InputError(place=self._place, reason=reason)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive in a file; raises `InputError` for one that is no back-up or is damaged."""
    try:
        with tarfile.open(path, "r:") as tar:
            yield Archive(path, tar)
    except tarfile.TarError as error:
        raise InputError(place=path, reason="不是 jiesu 的备份，或者已损坏") from error
    except OSError as error:
        raise InputError(place=error.filename or path, reason=f"读写出错（{error.strerror}）") from error
