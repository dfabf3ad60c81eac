"""What deploy/ holds is lint-free, agrees with itself and with the settings, and runs under the limits that it sets."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from serving.running import GRACE
from serving.settings import Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
BIN = Path(sys.executable).parent
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1  # prctl(2): what MemoryDenyWriteExecute= does, by the kernel itself


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    told: dict[str, Any] = YAML(typ="safe").load(read("compose.yaml"))
    return told


@pytest.fixture(scope="module")
def instances(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in compose["services"].items() if name.startswith("jiesu")}


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", read("jiesu.service"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    known = {f"JIESU_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"JIESU_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))) <= known


def test_the_dockerfile_is_clean() -> None:
    done = subprocess.run([BIN / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_is_one() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_ports_agree(instances: dict[str, Any]) -> None:
    inside = re.search(r"^EXPOSE (\d+)$", read("Dockerfile"), re.MULTILINE)
    assert inside
    assert f"JIESU_PORT={inside[1]}" in read("Dockerfile")
    published = [port.split(":") for told in instances.values() for port in told["ports"]]
    assert {port[-1] for port in published} == {inside[1]}
    assert {told["environment"]["JIESU_PORT"] for told in instances.values()} == {inside[1]}
    upstream = set(re.findall(r"server ([\d.]+:\d+)", read("nginx.conf.example")))
    assert {":".join(port[:2]) for port in published} == upstream
    own = dict(re.findall(r"^(JIESU_\w+)=(.*)$", read("jiesu.env.example"), re.MULTILINE))
    assert f"{own['JIESU_HOST']}:{own['JIESU_PORT']}" in upstream


def test_the_example_settings_are_settings() -> None:
    own = dict(re.findall(r"^(JIESU_\w+)=(.*)$", read("jiesu.env.example"), re.MULTILINE))
    Settings(**{name.removeprefix("JIESU_").lower(): value for name, value in own.items()}).check_start()


def test_instances_share_what_must_agree_and_hold_no_secret(compose: dict[str, Any], instances: dict[str, Any]) -> None:
    assert len(instances) == 2
    one, two = instances.values()
    assert {key: value for key, value in one.items() if key != "ports"} == {
        key: value for key, value in two.items() if key != "ports"
    }
    assert one["environment"]["JIESU_STORE"].startswith("postgresql://")
    for name in ("JIESU_STORE", "JIESU_SECRET"):
        assert ":?" in one["environment"][name]  # without it, nothing starts
    assert compose["networks"]["inside"]["internal"]
    assert "ports" not in compose["services"]["store"]
    assert all(port.startswith("127.0.0.1:") for told in instances.values() for port in told["ports"])


def test_nobody_is_killed_before_requests_are_answered(instances: dict[str, Any], unit: dict[str, list[str]]) -> None:
    graces = [int(told["stop_grace_period"].removesuffix("s")) for told in instances.values()]
    assert min(*graces, int(unit["TimeoutStopSec"][0])) > GRACE + 10


def test_the_proxy_waits_as_long_as_the_service_may_take() -> None:
    told, usual = read("nginx.conf.example"), Settings()
    waits = [int(seconds) for seconds in re.findall(r"proxy_read_timeout\s+(\d+)s", told)]
    assert min(waits) > usual.request_seconds
    sizes = [int(size) for size in re.findall(r"client_max_body_size\s+(\d+)m?", told)]
    assert sorted(sizes)[0] == 0
    assert sorted(sizes)[1] * 2**20 > usual.max_body
    assert told.count("{") == told.count("}")


def test_the_image_runs_as_nobody_and_asks_itself() -> None:
    told = read("Dockerfile")
    last = told[told.rindex("FROM ") :]
    user = re.search(r"^USER (\d+)$", last, re.MULTILINE)
    assert user
    assert int(user[1]) > 0
    assert "/readyz" in last
    assert "pip" not in last
    assert all("--require-hashes" in line for line in told.splitlines() if "-r requirements" in line)


def copied() -> Iterator[str]:
    """What of the tree goes into the image."""
    for line in re.findall(r"^COPY (?!--from)(.*)$", read("Dockerfile"), re.MULTILINE):
        yield from line.split()[:-1]


def test_what_is_copied_is_there_and_let_through() -> None:
    allowed = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(copied()) == sorted(allowed)
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_all_that_is_installed_is_copied() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    needed = {name.rstrip("*") for name in told["packages"]["find"]["include"]} | {
        f"{name}.py" for name in told["py-modules"]
    }
    assert needed <= set(copied())  # setuptools refuses to install without one


def image(folder: Path) -> list[str]:
    """The tree of the image in a folder, and what runs a command in it without this checkout."""
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run = (
        "import sys; sys.path[:] = [sys.argv.pop(1), *(p for p in sys.path if p not in {'', sys.argv[1]})];"
        "sys.argv.pop(1); import jiesu; jiesu.main()"
    )
    return [sys.executable, "-c", run, str(folder), str(ROOT)]


def no_new_code() -> None:
    """In a child, before it runs: memory that was ever writable is never executed."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0)


def test_the_image_is_complete_and_decides_where_no_code_can_be_made(tmp_path: Path) -> None:
    """`nlp`, `corpora`, `serving` and the model, alone, under the unit's MemoryDenyWriteExecute (kernels from 6.3)."""
    command = image(tmp_path / "opt")
    own = {key: value for key, value in os.environ.items() if not key.startswith("JIESU_")}
    done = subprocess.run(
        [*command, "decide", "-", "--accuracy", "high"],
        input='{"id": "1", "text": "楼上卫生间一直往我家滴水，天花板都泡黄了"}\n',
        capture_output=True, text=True, check=False, preexec_fn=no_new_code, timeout=60, cwd=tmp_path,
        env=own | {"JIESU_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"code":"leak"' in done.stdout.replace(" ", "")
    assert "编码器" not in done.stderr
    assert not (tmp_path / "home").exists()  # nothing was fitted


def test_the_unit_is_hardened(unit: dict[str, list[str]]) -> None:
    for name in ("NoNewPrivileges", "MemoryDenyWriteExecute", "PrivateTmp", "ProtectHome", "ProtectKernelModules"):
        assert unit[name] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["Restart"] == ["always"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["WorkingDirectory"] == [f"/var/lib/{unit['StateDirectory'][0]}"]
    assert f"JIESU_HOME={unit['WorkingDirectory'][0]}\n" in read("jiesu.env.example")
    assert unit["EnvironmentFile"][0] in read("jiesu.env.example")


@pytest.mark.system
def test_systemd_takes_the_unit_as_it_is(tmp_path: Path) -> None:
    there = tmp_path / "jiesu.service"  # where nothing is installed under /opt
    there.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={shutil.which('true')}", read("jiesu.service")))
    done = subprocess.run(["systemd-analyze", "verify", there], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", there]  # 20: an exposure of 2.0 of 10
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:]


@pytest.mark.system
def test_memory_that_is_writable_cannot_be_executed_here() -> None:
    """What the quick test relies on holds on this machine."""
    code = "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, preexec_fn=no_new_code)
    assert done.returncode != 0


def test_every_test_that_the_page_on_security_names_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 30
    lost = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert lost == []
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| 承诺")]
    assert [
        row for row in rows if "::test_" not in row
    ] == []  # a promise that nothing holds stands in the last section
