from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from nlp.errors import InputError, RefusedModel
from serving.backlog.spark import parcel
from serving.backlog.spark.boot import BEGIN, Unfit, provide, unpacked
from serving.backlog.spark.parcel import CODE, ROOT, code_digest, code_files, packed


def names(path: Path) -> set[str]:
    with ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "profiles").mkdir()
    shutil.copy(ROOT / "nlp" / "rules" / "profiles" / "plain.toml", folder / "profiles")
    return folder


def test_it_holds_model_rules_and_code_but_no_petitions(model_folder: Path, rules: Path, tmp_path: Path) -> None:
    held = names(packed(tmp_path, model_folder, rules).path)
    assert {"model/manifest.json", "model/words.txt", "rules/profiles/plain.toml"} <= held
    assert {"code/nlp/decider.py", "code/nlp/data/lexicon.txt", "code/serving/backlog/spark/worker.py"} <= held
    assert "code/nlp/rules/profiles/plain.toml" in held
    assert not [name for name in held if name.endswith((".jsonl", ".pyc")) or name.startswith("code/training")]


def test_it_holds_no_code_where_the_cluster_has_it(model_folder: Path, tmp_path: Path) -> None:
    made = packed(tmp_path, model_folder, shipped=False)
    assert {name.partition("/")[0] for name in names(made.path)} == {"model"}
    assert made.code == code_digest()


def test_the_same_content_makes_the_same_bytes(model_folder: Path, rules: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    os.utime(copy / "words.txt", (1, 1))
    one, other = (packed(tmp_path, folder, rules) for folder in (model_folder, copy))
    assert one == other
    assert one.digest[:16] in one.path.name
    assert packed(tmp_path, model_folder).digest != one.digest


def test_other_code_has_another_digest(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "nlp", tmp_path / "nlp", ignore=shutil.ignore_patterns("__pycache__"))
    for package in CODE[1:]:
        (tmp_path / package).mkdir()
    before = code_digest(tmp_path)
    assert before == code_digest(tmp_path)
    with (tmp_path / "nlp" / "rules" / "holidays.toml").open("a", encoding="utf-8") as changed:
        changed.write("\n")
    assert code_digest(tmp_path) != before


def test_all_that_the_code_reads_goes_along() -> None:
    kinds = {path.suffix for path in (ROOT / "nlp").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert kinds <= parcel.DATA
    assert len(code_files(ROOT)) > 150


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedModel):
        packed(tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="写不了要送到集群的包"):
        packed(tmp_path / "nowhere", model_folder)


def test_an_archive_is_opened_once(model_folder: Path, tmp_path: Path) -> None:
    made = packed(tmp_path, model_folder)
    folder = unpacked(made.path, made.digest)
    (folder / "model" / "mark").write_text("")
    assert unpacked(made.path, made.digest) == folder
    assert (folder / "model" / "mark").exists()
    assert {path.name for path in tmp_path.iterdir()} == {made.path.name, folder.name}


def test_an_archive_that_was_changed_on_its_way_is_refused(model_folder: Path, tmp_path: Path) -> None:
    made = packed(tmp_path, model_folder)
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 1
    made.path.write_bytes(content)
    with pytest.raises(Unfit, match="SHA-256 不符"):
        unpacked(made.path, made.digest)
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name]


def test_an_archive_that_did_not_come_is_missed(tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="模型没有送到"):
        unpacked(tmp_path / "jiesu-0.zip", "0" * 64)


def test_installed_code_must_be_the_same(tmp_path: Path) -> None:
    for shipped in (False, True):  # here it is imported already, wherever it came from
        provide(tmp_path, code_digest(), shipped=shipped)
        with pytest.raises(Unfit, match="不是同一份"):
            provide(tmp_path, "0" * 64, shipped=shipped)
    assert str(tmp_path / "code") not in sys.path


def test_code_that_was_sent_runs_where_no_jiesu_is(model_folder: Path, tmp_path: Path) -> None:
    made = packed(tmp_path, model_folder)
    boot = ROOT / "serving" / "backlog" / "spark" / "boot.py"
    code = (
        f"import importlib.util, sys; sys.path[:] = [p for p in sys.path if p not in ('', {str(ROOT)!r})]\n"
        f"spec = importlib.util.spec_from_file_location('boot', {str(boot)!r})\n"
        "boot = importlib.util.module_from_spec(spec); sys.modules['boot'] = boot; spec.loader.exec_module(boot)\n"
        f"root = boot.unpacked(boot.Path({str(made.path)!r}), {made.digest!r})\n"
        "boot.provide(root, '', shipped=True)\n"
        "import nlp.decider, serving.backlog.workers\n"
        "from nlp.model import load\n"
        "model = load(root / 'model'); nlp.decider.Decider(model)\n"
        "assert nlp.decider.__file__.startswith(str(root / 'code')), nlp.decider.__file__\n"
        "print(model.name)\n"
    )
    told = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.startswith("small-")


def test_a_fault_is_marked_for_the_driver() -> None:
    assert str(Unfit("路不通")).startswith(BEGIN)
