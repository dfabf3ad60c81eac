"""The model to serve: the one that was set, the promoted one, or the default, fitted once by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from corpora.default import default_folder, is_current
from nlp.errors import JiesuError
from nlp.model import Model, load
from nlp.registry import chosen
from serving.settings import Settings


class FitFailed(JiesuError):
    """默认模型训练失败（退出码 {code}），见上面的输出"""


def open_model(settings: Settings, folder: Path | None = None) -> Model:
    """Load `folder`, or the model of the settings, or the one in use by the registry, or the default."""
    found = chosen(settings.home, folder or settings.model)
    if found:
        return load(found)
    default = default_folder(settings.home)
    if not is_current(default):
        fit_default(default)
    return load(default)


def fit_default(folder: Path) -> None:
    """Fit the default model; what happens is said on stderr."""
    print("默认模型还没有（或语料已更新），先训练一次，约一分钟 …", file=sys.stderr)  # noqa: T201
    command = [sys.executable, "-m", "jiesu", "fit", "--corpus", "--out", str(folder)]
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode:
        raise FitFailed(code=done.returncode)
