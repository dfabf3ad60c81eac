"""What many tests share: the taxonomy, some of the project's petitions, and a small real model."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import corpora.default
from corpora.petitions import Row, corpus_hash, default_taxonomy, read_rows
from nlp.decider import Decider
from nlp.model import MANIFEST, Model, load, sealed
from nlp.petition import Petition
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.fitting import Recipe, fit
from training.heads import FitSettings

settings.register_profile("jiesu", deadline=None)  # a busy machine is no fault
settings.load_profile("jiesu")
PLACES = (
    "青杉苑三期五栋 花溪路与临江巷路口 柳浪镇石桥村村口 云台新村菜场旁边 望湖里九号院 东篱小区南门外 "
    "老粮站宿舍楼 梅岭街幼儿园门口 白鹭洲步道入口 砚池巷四十二号"
)
TROUBLES = {
    "灯光组": "路灯整排不亮 灯杆歪了线头露在外面 一到晚上漆黑一片 灯泡一闪一闪的 感应灯坏了没人换",
    "噪声组": "工地半夜还在打桩 楼下烧烤店放音乐到凌晨 装修电钻从早响到晚 广场舞音箱开得太大 货车整夜按喇叭",
    "用水组": "水管爆了往外喷水 自来水发黄有味道 楼上卫生间漏水到我家 水压小得洗不了澡 水表转得飞快",
    "清运组": "垃圾桶满了没有人倒 建筑垃圾堆在绿化带里 厨余桶臭得开不了窗 落叶和塑料袋堵住了下水口 有人往河边倒垃圾",
}
SINCE = "已经半个月了 昨天夜里开始的 今年第三回了 从国庆到现在 天天如此 上周报修过一次"
EFFECTS = "老人出门摔过一跤 孩子写不了作业 上夜班的人没法休息 邻居们都很有意见 物业说不归他们管 打过两次电话没有下文"
WISHES = "请派人看看 希望尽快处理 请问归哪个部门管 要求给一个答复 麻烦催一催 盼回复"
AT_LEAST = 6  # rows of every label, more than the folds of a fit


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever a test does not say a home for stays out of that of the tree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JIESU_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The default model of a test is the one under its home: that of the tree has tests of its own."""
    monkeypatch.setattr(corpora.default, "SHIPPED", tmp_path / "nothing-shipped")


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return default_taxonomy()


@pytest.fixture(scope="session")
def corpus() -> list[Row]:
    return read_rows()


@pytest.fixture(scope="session")
def petitions(corpus: list[Row]) -> list[Row]:
    """The first rows that together hold every label of every task a few times."""
    held: Counter[tuple[str, str]] = Counter()
    chosen: list[Row] = []
    for row in corpus:
        labels = [(task, getattr(row, task)) for task in TASKS]
        if any(held[label] < AT_LEAST for label in labels):
            chosen.append(row)
            held.update(labels)
    return chosen


@pytest.fixture(scope="session")
def dataset(petitions: list[Row]) -> Dataset:
    labels = {task: [getattr(row, task) for row in petitions] for task in TASKS}
    return Dataset([Petition(row.id, row.text, row.title) for row in petitions], labels, "tests", "0" * 64)


@pytest.fixture(scope="session")
def office() -> Dataset:
    """What an office of an invented town has: 200 tickets under four categories of its own, and nothing else."""
    names = list(TROUBLES)
    petitions = [Petition(f"G{row}", written(names[row % len(names)], row)) for row in range(200)]
    codes = [names[row % len(names)] for row in range(200)]
    lines = [row + 2 for row in range(200)]
    return Dataset(petitions, {"category": codes}, "工单.csv", "1" * 64, lines=lines, headings={"category": "标签"})


def written(name: str, row: int) -> str:
    """One petition of a category, unlike the others of it."""
    random = np.random.default_rng(row)
    counts = {PLACES: 1, TROUBLES[name]: 2, SINCE: 1, EFFECTS: 1, WISHES: 1}
    said = [random.choice(words.split(), count, replace=False) for words, count in counts.items()]
    return "，".join(np.concatenate(said)) + "。"


@pytest.fixture(scope="session")
def model_folder(dataset: Dataset, taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model, saved; tests that change its files copy the folder first."""
    folder = tmp_path_factory.mktemp("models") / "small"
    recipe = Recipe(heads=FitSettings(jobs=1))
    fit(dataset, taxonomy, recipe, lambda _what, _steps: None).model.save(folder, "small")
    return folder


@pytest.fixture(scope="session")
def equipped(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose default model is the small one, which counts as that of this corpus; nobody writes into it."""
    home = tmp_path_factory.mktemp("equipped")
    folder = home / "models" / "default"
    shutil.copytree(model_folder, folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["card"]["hash"] = corpus_hash()
    (folder / MANIFEST).write_text(json.dumps(manifest | {"seal": sealed(manifest)}), encoding="utf-8")
    return home


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return load(model_folder)


@pytest.fixture(scope="session")
def decider(model: Model) -> Decider:
    return Decider(model)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test fails the run: what was not run was not checked."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("JIESU_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
