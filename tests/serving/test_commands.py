"""The commands decide, classify and serve, as a person or a script calls them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from nlp.taxonomy import Taxonomy

NOW = "2026-11-23T09:12:03+08:00"
LEAK = "楼上卫生间一直往我家滴水，天花板都泡黄了，找物业说让我们自己协商，能不能派人来看看。"
PETITIONS = [{"id": f"A-{number}", "text": text} for number, text in enumerate([LEAK, "路灯坏了", "", "3", LEAK * 9])]
Lines = Callable[[list[dict[str, Any]]], bytes]
Run = Callable[..., Any]


def decisions(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_a_file_is_decided_line_by_line_in_order(decide: Run, lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(PETITIONS))
    done = decide(tmp_path / "in.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert [decision["id"] for decision in decisions(done.stdout)] == [petition["id"] for petition in PETITIONS]


@pytest.mark.parametrize("argument", [(), ("-",)])
def test_standard_input_is_decided(decide: Run, lines: Lines, argument: tuple[str, ...]) -> None:
    done = decide(*argument, stdin=lines(PETITIONS))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(decisions(done.stdout)) == len(PETITIONS)


def test_standard_input_and_a_file_give_the_same(decide: Run, lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(PETITIONS))
    both = decide(tmp_path / "in.jsonl"), decide(stdin=lines(PETITIONS))
    first, second = ([{**d, "decision_id": ""} for d in decisions(done.stdout)] for done in both)
    assert first == second


def test_nothing_in_gives_nothing_out(decide: Run) -> None:
    done = decide(stdin=b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_broken_line_is_named_and_all_others_are_answered(decide: Run, lines: Lines, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(lines(PETITIONS) + b'{"id": "x", "te\n\n\xff\xfe{}\n{"id": "y"}\n' + lines(PETITIONS))
    done = decide(path)
    assert done.returncode == 2
    assert [d["id"] for d in decisions(done.stdout)] == 2 * [petition["id"] for petition in PETITIONS]
    told = done.stderr.splitlines()
    assert len(told) == 4
    for line, number in zip(told, (6, 8, 9), strict=False):
        assert line.startswith(f"{path} 第 {number} 行，")
    assert "有 3 行不能读" in told[3]


def test_a_bad_line_far_down_a_long_file_is_named(decide: Run, lines: Lines) -> None:
    done = decide("--no-evidence", stdin=lines(PETITIONS) * 500 + b"{\n" + lines(PETITIONS))
    assert done.returncode == 2
    assert "标准输入 第 2501 行" in done.stderr
    assert len(decisions(done.stdout)) == 2505


def test_a_file_in_another_encoding_loses_no_line_silently(decide: Run, lines: Lines) -> None:
    done = decide(stdin=lines(PETITIONS[:2]).decode().encode("gb18030"))
    assert done.returncode == 2
    assert done.stderr.count("第 1 行") == done.stderr.count("第 2 行") == 1


def test_a_mark_at_the_beginning_does_no_harm(decide: Run, lines: Lines) -> None:
    done = decide(stdin=b"\xef\xbb\xbf" + lines(PETITIONS))
    assert done.returncode == 0
    assert len(decisions(done.stdout)) == len(PETITIONS)


def test_a_missing_file_is_named(decide: Run, tmp_path: Path) -> None:
    done = decide(tmp_path / "nowhere.jsonl")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.jsonl" in done.stderr


def test_a_folder_instead_of_a_file_is_named(decide: Run, tmp_path: Path) -> None:
    done = decide(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(tmp_path) in done.stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--profile", "atlantis"), "atlantis"),
        (("--accuracy", "best"), "best"),
        (("--now", "tomorrow"), "--now"),
        (("--colour",), "--colour"),
        (("a.jsonl", "b.jsonl"), "b.jsonl"),
    ],
)
def test_a_wrong_option_is_refused_by_name(run: Run, model_folder: Path, options: tuple[str, ...], named: str) -> None:
    done = run("decide", "--model", model_folder, *options, stdin=b"")
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_out_of_reach_is_named(decide: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_TIMEZONE", "Mars/Olympus")
    done = decide(stdin=b"")
    assert done.returncode == 2
    assert "JIESU_TIMEZONE" in done.stderr


def test_a_model_that_is_none_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("decide", "--model", tmp_path, stdin=b"")
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr


def test_high_accuracy_without_an_encoder_is_told_and_answered(decide: Run, lines: Lines) -> None:
    done = decide("--accuracy", "high", stdin=lines(PETITIONS))
    assert done.returncode == 0
    assert "fast" in done.stderr
    assert len(decisions(done.stdout)) == len(PETITIONS)


def test_the_clock_starts_now_or_at_the_time_of_receipt(decide: Run, lines: Lines, taxonomy: Taxonomy) -> None:
    hours = {label.code: label.hours for label in taxonomy.clocks}
    received = "2026-03-01T08:00:00+08:00"
    done = decide(stdin=lines([PETITIONS[0], {**PETITIONS[0], "received_at": received}]))
    for decision, start in zip(decisions(done.stdout), (NOW, received), strict=True):
        assert decision["decided_at"] == NOW
        end = datetime.fromisoformat(start) + timedelta(hours=hours[decision["clock"]["code"]])
        assert decision["route"]["due"] == end.isoformat()


def test_evidence_is_given_unless_refused(decide: Run, lines: Lines) -> None:
    with_words, without = decide(stdin=lines(PETITIONS)), decide("--no-evidence", stdin=lines(PETITIONS))
    assert decisions(with_words.stdout)[0]["evidence"]
    assert not any(decision["evidence"] for decision in decisions(without.stdout))


def test_a_profile_routes(decide: Run, lines: Lines) -> None:
    done = decide("--profile", "wenjiang", stdin=lines(PETITIONS))
    assert {decision["route"]["profile"] for decision in decisions(done.stdout)} == {"wenjiang"}


def test_a_petition_is_classified_for_a_person(run: Run, model_folder: Path) -> None:
    done = run("classify", LEAK, "--model", model_folder, "--now", NOW)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("类别", "层级", "时限", "类型", "漏水渗水", "2026-11-"):
        assert word in done.stdout
    assert "\x1b[" not in done.stdout


@pytest.mark.parametrize("text", ["", "😀", "[bold]x[/bold][/]", "\ud800"])
def test_odd_text_is_classified_too(run: Run, model_folder: Path, text: str) -> None:
    done = run("classify", text, "--model", model_folder)
    assert done.returncode == 0
    assert "需要人工" in done.stdout


@pytest.mark.parametrize("options", [(), ("--help",)])
def test_help_names_the_commands(run: Run, options: tuple[str, ...]) -> None:
    done = run(*options)
    for name in ("decide", "classify", "serve", "fit", "evaluate"):
        assert name in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["decide", "classify", "serve", "fit", "evaluate"])
def test_each_command_has_help(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"jiesu {name}" in done.stdout


@pytest.mark.parametrize("arguments", [("classify",), ("evaluate",), ("serve", "--port", "x"), ("fit", "--depth")])
def test_bad_usage_exits_with_two(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_refused(run: Run) -> None:
    done = run("foretell")
    assert done.returncode == 2
    assert "foretell" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.cn"])  # noqa: S104
def test_an_open_door_is_refused(run: Run, host: str) -> None:
    done = run("serve", "--insecure", "--host", host)
    assert (done.returncode, done.stdout) == (2, "")
    assert host in done.stderr


def test_a_public_service_without_a_key_is_refused(run: Run) -> None:
    done = run("serve", "--host", "0.0.0.0")  # noqa: S104
    assert done.returncode == 2
    assert "jiesu keys create" in done.stderr


def test_a_taken_port_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--insecure", "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(port) in done.stderr


def environment(tmp_path: Path, model_folder: Path) -> dict[str, str]:
    return os.environ | {"JIESU_HOME": str(tmp_path), "JIESU_MODEL": str(model_folder), "PYTHONWARNINGS": "default"}


def test_the_service_starts_answers_and_stops(model_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jiesu", "serve", "--insecure", "--port", "0", "--sample"]
    service = subprocess.Popen(
        command, env=environment(tmp_path, model_folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    shown = []
    while "http://" not in (line := service.stdout.readline()):
        assert line, service.communicate()[1]
        shown.append(line)
    address = line.split("http://")[1].split()[0]
    with httpx2.Client(base_url=f"http://{address}", timeout=30) as client:
        assert client.get("/readyz").status_code == 200
        reply = client.post("/v1/decisions", json={"petitions": PETITIONS})
        assert len(reply.json()["decisions"]) == len(PETITIONS)
    service.send_signal(signal.SIGTERM)
    _, err = service.communicate(timeout=20)
    assert service.returncode in (0, -signal.SIGTERM)
    assert "示例诉求" in shown[0]
    assert [json.loads(line)["level"] for line in err.splitlines()].count("INFO") == len(err.splitlines())


@pytest.mark.parametrize("command", ["decide", "classify"])
def test_deciding_does_not_wait_for_what_only_training_or_the_service_needs(
    model_folder: Path, tmp_path: Path, command: str
) -> None:
    program = (
        "import sys, jiesu\n"
        f"sys.argv = ['jiesu', '{command}', *sys.argv[1:]]\n"
        "try: jiesu.main()\n"
        "finally: print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    arguments = ["路灯不亮"] if command == "classify" else []
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], input=b'{"id": "1", "text": "x"}\n', capture_output=True,
        env=environment(tmp_path, model_folder), check=True,
    )  # fmt: skip
    loaded = set(done.stderr.decode().split())
    assert "numpy" in loaded
    assert not loaded & {"sklearn", "torch", "datasets", "pandas", "pyarrow", "joblib", "transformers"}
    assert not loaded & {"fastapi", "uvicorn", "sqlalchemy", "alembic"}
