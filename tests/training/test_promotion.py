"""Promotion, refusal and rollback: what the registry holds after each, and after something went wrong."""

from __future__ import annotations

import json
import shutil
import threading
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import training.promotion
from nlp.errors import InputError, RefusedModel
from nlp.model import Model, load
from nlp.registry import CURRENT, DEFAULT, HISTORY, Standing, current, history, models_folder, standing, versions
from training import testset
from training.dataset import Dataset
from training.gates import Limits
from training.promotion import NotPromoted, Outcome, Wish, entered, locked, promote, rollback

LIMITS = Limits(resamples=200, slower=9, timed=5, turns=1)
REASON = "分类体系换了"
Promote = Callable[..., Outcome]


@pytest.fixture
def twin(model: Model, tmp_path: Path) -> Path:
    """A folder with a model that answers as the default does."""
    model.save(tmp_path / "out" / "twin", "twin")
    return tmp_path / "out" / "twin"


@pytest.fixture
def worse(model: Model, tmp_path: Path) -> Path:
    """A folder with a model that has forgotten all words."""
    replace(model, heads=replace(model.heads, weights=model.heads.weights * 0)).save(
        tmp_path / "out" / "worse", "worse"
    )
    return tmp_path / "out" / "worse"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def put(home: Path, model: Model, dataset: Dataset) -> Promote:
    """Promote, compared on a small test set."""

    def called(wanted: object, **wish: object) -> Outcome:
        few = dataset.part(range(40))
        with locked(home, lambda: None):
            return promote(home, Wish(str(wanted), **wish), lambda: few, lambda: model, LIMITS)  # type: ignore[arg-type]

    return called


@pytest.fixture
def place(home: Path, model: Model) -> Promote:
    """Promote by force where there is no test set: what is asked here is what the registry holds."""

    def called(wanted: object) -> Outcome:
        with locked(home, lambda: None):
            wish = Wish(str(wanted), force=True, reason=REASON)
            return promote(home, wish, lambda: testset.read(home), lambda: model, LIMITS)

    return called


def back(home: Path, model: Model, reason: str = "") -> Outcome:
    return rollback(home, reason, lambda: model)


def events(home: Path) -> list[str]:
    return [event["event"] for event in history(home)]


def test_a_model_as_good_as_the_default_is_copied_and_put_in_use(put: Promote, home: Path, twin: Path) -> None:
    outcome = put(twin, reason="第一个自己的模型")
    name = load(twin).name
    assert (outcome.event, outcome.model, outcome.champion) == ("promoted", name, DEFAULT)
    assert current(home) == models_folder(home) / name
    shutil.rmtree(twin)
    assert load(models_folder(home) / name).name == name
    held = standing(home)
    assert held is not None
    assert held.previous == (DEFAULT,)
    (event,) = history(home)
    assert (event["event"], event["model"], event["reason"], event["forced"]) == (
        "promoted", name, "第一个自己的模型", False,
    )  # fmt: skip
    assert event["who"]
    assert event["time"] == held.since
    assert event["comparison"]["passed"]


def test_a_worse_model_is_refused_with_its_figures_and_stays_a_candidate(put: Promote, home: Path, worse: Path) -> None:
    outcome = put(worse)
    assert outcome.event == "refused"
    with pytest.raises(NotPromoted) as refused:
        outcome.raise_refused()
    assert refused.value.exit_code == 2
    lines = str(refused.value).splitlines()
    assert outcome.comparison is not None
    assert lines[1:] == [f"  {gate.told}" for gate in outcome.comparison.failed]
    assert any("宏平均 F1" in line and "95% 区间" in line for line in lines)
    assert standing(home) is None
    assert outcome.model in versions(home)
    assert events(home) == ["refused"]
    assert not history(home)[0]["comparison"]["passed"]


def test_force_needs_a_reason_and_is_recorded_with_the_figures(put: Promote, home: Path, worse: Path) -> None:
    for reason in ("", "急", "   急用  "):
        with pytest.raises(InputError, match="--reason"):
            put(worse, force=True, reason=reason)
    assert not models_folder(home).exists() or events(home) == []
    outcome = put(worse, force=True, reason=REASON)
    assert outcome.event == "promoted"
    outcome.raise_refused()
    (event,) = history(home)
    assert (event["forced"], event["reason"], event["comparison"]["passed"]) == (True, REASON, False)


def test_a_version_is_promoted_by_its_name(place: Promote, home: Path, worse: Path, twin: Path) -> None:
    first, second = place(worse).model, place(twin).model
    assert place(first).model == first
    assert place(models_folder(home) / second).model == second
    assert set(versions(home)) == {first, second}


def test_the_champion_is_the_model_in_use(put: Promote, home: Path, worse: Path, twin: Path) -> None:
    put(worse, force=True, reason=REASON)
    outcome = put(twin)
    assert outcome.champion == load(worse).name
    assert outcome.comparison is not None
    assert outcome.comparison.figures["champion_accuracy"] < outcome.comparison.figures["challenger_accuracy"]


def test_the_model_in_use_is_not_promoted_again(place: Promote, twin: Path) -> None:
    place(twin)
    with pytest.raises(InputError, match="已经在用"):
        place(twin)


def test_a_rollback_goes_back_one_version_at_a_time(
    place: Promote, home: Path, model: Model, twin: Path, worse: Path
) -> None:
    first, second = place(twin).model, place(worse).model
    assert back(home, model, "投诉多").model == first
    assert current(home) == models_folder(home) / first
    assert back(home, model).model == DEFAULT
    assert current(home) is None
    with pytest.raises(InputError, match="没有更早的"):
        back(home, model)
    assert events(home) == ["promoted", "promoted", "rolled_back", "rolled_back"]
    told = history(home)[2]
    assert (told["champion"], told["model"], told["reason"]) == (second, first, "投诉多")


def test_without_a_promotion_there_is_nothing_to_go_back_to(home: Path, model: Model) -> None:
    with pytest.raises(InputError, match="没有更早的"):
        back(home, model)


def test_a_rollback_passes_over_what_can_no_longer_be_read(
    place: Promote, home: Path, model: Model, twin: Path, worse: Path
) -> None:
    first = place(twin).model
    place(worse)
    (models_folder(home) / first / "words.txt").write_text("水", encoding="utf-8")
    assert back(home, model).model == DEFAULT


def test_a_champion_that_is_gone_is_said_and_force_goes_on(put: Promote, home: Path, twin: Path, worse: Path) -> None:
    first = put(twin).model
    shutil.rmtree(models_folder(home) / first)
    with pytest.raises(RefusedModel, match=first):
        put(worse)
    outcome = put(worse, force=True, reason=REASON)
    assert (outcome.event, outcome.comparison) == ("promoted", None)


def test_a_broken_current_file_is_said_and_force_goes_on(put: Promote, home: Path, twin: Path) -> None:
    models_folder(home).mkdir(parents=True)
    (models_folder(home) / CURRENT).write_text('{"name": "tw', encoding="utf-8")
    with pytest.raises(RefusedModel, match="--force"):
        put(twin)
    put(twin, force=True, reason=REASON)
    assert current(home) is not None


def test_without_a_test_set_it_is_said_how_to_make_one(home: Path, model: Model, twin: Path) -> None:
    def asked(wish: Wish) -> Outcome:
        return promote(home, wish, lambda: testset.read(home), lambda: model, LIMITS)

    with pytest.raises(InputError, match="jiesu test-set freeze"):
        asked(Wish(str(twin)))
    assert standing(home) is None
    outcome = asked(Wish(str(twin), force=True, reason=REASON))
    assert (outcome.event, outcome.comparison) == ("promoted", None)
    assert history(home)[-1]["comparison"] is None


@pytest.mark.parametrize("name", ["tensors.safetensors", "words.txt", "manifest.json"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_broken_model_never_becomes_visible(put: Promote, home: Path, twin: Path, name: str, how: str) -> None:
    path = twin / name
    path.write_bytes(path.read_bytes()[:-9]) if how == "cut" else path.unlink()
    with pytest.raises(RefusedModel):
        put(twin)
    assert [path.name for path in models_folder(home).iterdir()] == [".lock"]


@pytest.mark.parametrize("wanted", ["nowhere", "../nowhere", "", "no-such-version", ".draft"])
def test_a_model_that_is_not_there_is_named(put: Promote, home: Path, wanted: str) -> None:
    with pytest.raises((InputError, RefusedModel)):
        put(wanted)
    assert [path.name for path in models_folder(home).iterdir()] == [".lock"]


@pytest.mark.parametrize("name", ["../../escaped", "default", "", "/etc/x"])
def test_the_name_in_a_manifest_is_no_way_out_of_the_registry(put: Promote, home: Path, twin: Path, name: str) -> None:
    manifest = json.loads((twin / "manifest.json").read_text(encoding="utf-8"))
    (twin / "manifest.json").write_text(json.dumps(manifest | {"name": name}), encoding="utf-8")
    with pytest.raises(RefusedModel):
        put(twin)
    assert [path.name for path in models_folder(home).iterdir()] == [".lock"]


def test_another_model_of_the_same_name_does_not_take_its_place(
    place: Promote, home: Path, model: Model, twin: Path, tmp_path: Path
) -> None:
    name = place(twin).model
    replace(model, card={"data": "other"}).save(tmp_path / "other", "twin")
    assert load(tmp_path / "other").name == name
    with pytest.raises(RefusedModel, match="同名"):
        place(tmp_path / "other")
    assert load(models_folder(home) / name).card == model.card


def test_a_full_disk_is_said_before_anything_is_written(
    home: Path, twin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(training.promotion.shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(InputError, match="磁盘空间不够"):
        entered(home, str(twin))
    assert list(models_folder(home).iterdir()) == []


def test_the_second_promotion_says_that_it_waits_and_waits(home: Path) -> None:
    held, waits, said = threading.Event(), threading.Event(), []
    order: list[str] = []

    def second() -> None:
        held.wait(10)

        def told() -> None:
            said.append("waits")
            waits.set()

        with locked(home, told):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(home, lambda: said.append("first waits")):
        held.set()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert (order, said) == (["first", "second"], ["waits"])


def test_current_is_replaced_as_a_whole_and_nothing_is_left_behind(place: Promote, home: Path, twin: Path) -> None:
    name = place(twin).model
    assert {path.name for path in models_folder(home).iterdir()} == {".lock", CURRENT, HISTORY, name}


def test_a_line_of_the_history_that_was_cut_short_spoils_no_other(
    place: Promote, home: Path, model: Model, twin: Path
) -> None:
    place(twin)
    with (models_folder(home) / HISTORY).open("a", encoding="utf-8") as file:
        file.write('{"event": "prom')
    back(home, model)
    assert events(home) == ["promoted", "rolled_back"]


def test_a_standing_survives_its_file(place: Promote, home: Path, twin: Path) -> None:
    name = place(twin).model
    held = standing(home)
    assert held == Standing(name, held.since if held else "", (DEFAULT,))
