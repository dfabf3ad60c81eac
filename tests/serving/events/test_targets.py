"""The file of targets is read whole or refused with the line that is to blame."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.errors import RefusedData
from serving.events.targets import Targets
from tests.serving.events.conftest import SECRET

GOOD = f"""\
allow = ["hooks.example.cn", "10.1.0.0/16"]

[[target]]
name = "值班系统"
url = "https://hooks.example.cn/a"
secret = "{SECRET}"
types = ["*"]

[[target]]
name = "二号"
url = "http://10.1.2.3:8080/b?c=d"
secret_env = "SECOND_SECRET"
types = ["cn.jiesu.decision.redline", "cn.jiesu.drift.passed"]
"""


@pytest.fixture(autouse=True)
def _second_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_SECRET", SECRET)


def written(folder: Path, text: str) -> Path:
    path = folder / "webhooks.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_who_is_told_of_what(tmp_path: Path) -> None:
    targets = Targets.read(written(tmp_path, GOOD))
    first, second = targets.target
    assert (first.name, second.name) == ("值班系统", "二号")
    assert first.key == second.key == b"abc" * 8
    assert first.wants("cn.jiesu.decision.made")
    assert second.wants("cn.jiesu.decision.redline")
    assert not second.wants("cn.jiesu.decision.made")
    assert targets.named("二号") is second
    assert targets.named("三号") is None
    assert SECRET not in repr(targets)


def test_without_a_file_there_are_no_targets() -> None:
    assert Targets.read(None).target == ()


@pytest.mark.parametrize(
    ("before", "after", "line", "reason"),
    [
        ("10.1.0.0/16", "10.1.2.3/16", 1, "不是网段"),
        ("hooks.example.cn", "https://hooks.example.cn", 1, "不是主机名"),
        ('name = "二号"', 'name = "值班系统"', 4, "有两个目标"),
        ('name = "二号"', 'name = " "', 10, "不能为空"),
        ("https://hooks", "ftp://hooks", 5, "须以 http"),
        ("https://hooks.example.cn/a", "hooks.example.cn", 5, "须以 http"),
        ("https://hooks.example.cn/a", "https://u:p@hooks.example.cn/a", 5, "用户名"),
        ("https://hooks.example.cn/a", "http://2130706433/", 5, "四段十进制"),
        ("https://hooks.example.cn/a", "http://0177.0.0.1/", 5, "不是网址"),
        ("https://hooks.example.cn/a", "http://127.0.0.1/", 5, "allow 里没有"),
        ("https://hooks.example.cn/a", "http://[::1]/", 5, "allow 里没有"),
        ("https://hooks.example.cn/a", "http://[::ffff:127.0.0.1]/", 5, "allow 里没有"),
        ("https://hooks.example.cn/a", "http://169.254.169.254/latest", 5, "allow 里没有"),
        ("10.1.2.3:8080", "10.2.2.3:8080", 11, "allow 里没有"),
        ("10.1.2.3:8080", "10.1.2.3:0", 11, "端口"),
        ("10.1.2.3:8080", "10.1.2.3:70000", 11, "端口"),
        (SECRET, "whsec_c2hvcnQ=", 6, "24–64"),
        ("SECOND_SECRET", "NO_SUCH_VARIABLE", 12, "whsec_"),
        ('secret_env = "SECOND_SECRET"\n', "", 9, "只写一个"),
        ("drift.passed", "drift.past", 13, "没有“cn.jiesu.drift.past”这种事件"),
        ('types = ["*"]', "types = []", 7, "没有“”这种事件"),
        ('types = ["*"]', 'types = ["*"]\nca = "none.pem"', 8, "PEM"),
        ('types = ["*"]', 'types = ["*"]\nca = "webhooks.toml"', 8, "PEM"),
        ('types = ["*"]', 'type = ["*"]', 7, "没有这个字段"),
        ('types = ["*"]\n', "", 3, "缺少字段"),
        ('url = "http://10', 'url = 5\nlink = "http://10', 12, "没有这个字段"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, before: str, after: str, line: int, reason: str) -> None:
    assert before in GOOD
    with pytest.raises(RefusedData, match=reason) as refused:
        Targets.read(written(tmp_path, GOOD.replace(before, after)))
    assert f"webhooks.toml 第 {line} 行" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_file_that_is_not_there_or_no_toml_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", written(tmp_path, "[[target]\n")):
        with pytest.raises(RefusedData, match=path.name):
            Targets.read(path)
