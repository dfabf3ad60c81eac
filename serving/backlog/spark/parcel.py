"""A parcel: model, rules and code in one archive, the same bytes for the same content, as every machine gets it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nlp
from nlp.errors import InputError
from nlp.model import MANIFEST, read_manifest

ROOT = Path(nlp.__file__).parents[1]
CODE = ("nlp", "corpora", "serving")
DATA = {".py", ".toml", ".txt", ".csv", ".sql", ".json"}  # what code reads beside itself; the corpus is not shipped
AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Parcel:
    """An archive with `model/`, `rules/` and, where it is not installed on the cluster, `code/`.

    digest: SHA-256 of the archive. code: `code_digest` of what decides here. shipped: whether the code is in it.
    """

    path: Path
    digest: str
    code: str
    shipped: bool = True


def packed(folder: Path, model: Path, rules: Path | None = None, *, shipped: bool = True) -> Parcel:
    """Pack into `folder`, under a name with the digest; raises `RefusedModel`, or `InputError` where it cannot write.

    shipped: take the code along; else the cluster must have it, and the same.
    """
    draft = folder / ".parcel.draft"
    try:
        with ZipFile(draft, "w") as archive:
            for name, path in _content(model, rules, shipped):
                _add(archive, name, path)
        digest = file_digest(draft)
        return Parcel(draft.replace(folder / f"jiesu-{digest[:16]}.zip"), digest, code_digest(), shipped)
    except OSError as error:
        raise InputError(place=error.filename or folder, reason=f"写不了要送到集群的包（{error.strerror}）") from error
    finally:
        draft.unlink(missing_ok=True)


def _content(model: Path, rules: Path | None, shipped: bool) -> Iterator[tuple[str, Path]]:
    for name in (MANIFEST, *sorted(read_manifest(model)["files"])):
        yield f"model/{name}", model / name
    for path in _files(rules) if rules else ():
        yield f"rules/{path.relative_to(rules or path).as_posix()}", path
    for path in code_files(ROOT) if shipped else ():
        yield f"code/{path.relative_to(ROOT).as_posix()}", path


def _add(archive: ZipFile, name: str, path: Path) -> None:
    """Without time or owner: only the content counts."""
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as kept:
        while part := source.read(AT_ONCE):
            kept.write(part)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def code_files(root: Path) -> list[Path]:
    """Everything that deciding runs and reads, below the folder that holds the packages."""
    return [path for package in CODE for path in _files(root / package) if path.suffix in DATA]


def code_digest(root: Path = ROOT) -> str:
    """SHA-256 of the code and its data: where it is another one, answers may be others."""
    whole = hashlib.sha256()
    for path in code_files(root):
        whole.update(f"{path.relative_to(root).as_posix()}\n{file_digest(path)}\n".encode())
    return whole.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
