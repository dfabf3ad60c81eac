"""An encoder from fine-tuning to serving: needs torch and transformers, and takes a minute."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertModel

import training.coldstart
from corpora.petitions import Row
from nlp.decider import Decider, Options
from nlp.encoder import HEADS, NETWORK, PART, TOKENIZER, Encoder, EncoderSettings
from nlp.errors import RefusedModel
from nlp.model import ENCODER, MANIFEST, VECTORS, Model, load
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import TASKS, Taxonomy
from training.coldstart import from_taxonomy
from training.dataset import Dataset
from training.encoder.building import add_encoder, fine_tuned, prefix_of, write_encoder
from training.encoder.checkpoint import LAYER, SPECIAL, tokenizer, write_checkpoint
from training.encoder.export import to_onnx
from training.encoder.network import SCALE, Network, open_encoder
from training.encoder.packed import Packed
from training.encoder.pieces import counted, cut, embedded, kept
from training.encoder.tune import TuneSettings
from training.fitting import Fit, Recipe, fit
from training.frozen import with_frozen
from training.heads import FitSettings
from training.labels import taxonomy_of
from training.prior import prior_of

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=8)))
SENTENCES = (
    "青杉苑三期五栋的路灯不亮，已经半个月了。",
    "楼上卫生间漏水到我家，物业说不归他们管，请派人看看！",
    "工地半夜还在打桩，孩子睡不着；垃圾桶满了没有人倒。",
    "请问社保卡在哪里办理？电话打不通，希望尽快答复。",
    "公交车总是晚点，能不能增加班次？学校门口乱停车。",
)
PETITIONS = [Petition(f"P{row}", text, "反映问题" if row % 2 else "") for row, text in enumerate(SENTENCES)]
WIDTH, QUICK = 16, TuneSettings(epochs=1, tokens=16, save_every=2)


class KilledError(Exception):
    """What a test stops a fine-tuning with."""


def unheard(_what: str, _steps: int) -> None:
    """A step that nobody is told of."""


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BertModel that knows nothing, with a tokenizer of the characters of some sentences."""
    folder = tmp_path_factory.mktemp("sources") / "e5-tiny"
    counts = Counter("".join(SENTENCES))
    total = sum(counts.values())
    pieces = [(name, 0.0) for name in SPECIAL] + [("▁", -2.0)]
    pieces += [(piece, float(np.log(count / total))) for piece, count in counts.most_common()]
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=160, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer(pieces).save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | names))
    return str(folder)


@pytest.fixture(scope="module")
def done(dataset: Dataset, taxonomy: Taxonomy) -> Fit:
    return fit(dataset, taxonomy, Recipe(heads=FitSettings(jobs=1)), unheard)


@pytest.fixture(scope="module")
def saved(done: Fit, dataset: Dataset, source: str, tmp_path_factory: pytest.TempPathFactory) -> Model:
    out = tmp_path_factory.mktemp("models") / "both"
    return add_encoder(done, dataset, done.model.save(out, "both"), source, None, out, unheard)


def folder_of(model: Model) -> Path:
    assert model.encoder
    return model.encoder.folder.parent


def always(model: Model) -> Decider:
    """A decider that asks the encoder about every petition, and listens to both."""
    assert model.encoder
    mix = dict.fromkeys(model.encoder.settings.mix, (1.0, 1.0))
    settings = replace(model.encoder.settings, asked=1.01, mix=mix)
    return Decider(replace(model, encoder=Encoder(model.encoder.folder, settings)))


def test_the_saved_model_is_whole(saved: Model) -> None:
    folder = folder_of(saved)
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.name for path in (folder / ENCODER).iterdir()}
    assert names == {TOKENIZER, HEADS, f"{NETWORK}.0"}
    assert (folder / VECTORS).is_file()
    assert max(path.stat().st_size for path in files) <= PART
    assert not [path for path in files if path.read_bytes()[:2] in {b"\x80\x04", b"\x80\x05", b"PK"}]  # pickle, torch
    assert not list(folder.parent.glob(".*"))  # neither check-points nor drafts stay
    assert saved.name.startswith("both-")
    assert load(folder).name == saved.name


def test_the_card_tells_of_the_encoder(saved: Model, done: Fit, dataset: Dataset, source: str) -> None:
    card = json.loads((folder_of(saved) / MANIFEST).read_text(encoding="utf-8"))["card"]
    assert card["rows"] == len(dataset)
    told = card["encoder"]
    assert (told["source"], told["layers"], told["tokens"]) == (Path(source).name, 2, 128)
    assert 0 < told["held_out"] < 0.2 * len(dataset)
    assert 0 < told["rows"] <= len(dataset) - told["held_out"]
    cascade = told["cascade"]
    assert cascade["rows"] == told["held_out"]
    assert cascade["accuracy"] >= cascade["accuracy_always_asked"] - 0.005
    assert cascade["points"][0][1] == 0
    assert saved.thresholds.asked is not None
    assert saved.thresholds.confidence == done.model.thresholds.confidence


@pytest.mark.parametrize("evidence", [True, False])
def test_it_decides_with_more_accuracy_wanted(saved: Model, evidence: bool) -> None:
    decisions = Decider(saved).decide(PETITIONS, Options(NOW, evidence=evidence, high=True))
    assert [decision.id for decision in decisions] == [petition.id for petition in PETITIONS]
    assert {decision.model for decision in decisions} == {saved.name}


def test_the_encoder_has_a_say(saved: Model) -> None:
    reading = Reader().read(PETITIONS)
    fast, high = (always(saved).answers(reading, high=high) for high in (False, True))
    assert not fast.asked.any()
    assert high.asked.all()
    assert all(not np.allclose(fast.marginals[task], high.marginals[task]) for task in TASKS)


def test_a_petition_is_answered_alike_alone_and_in_a_batch(saved: Model) -> None:
    decider = always(saved)
    together = decider.answers(Reader().read(PETITIONS), high=True)
    assert together.asked.all()
    for row, petition in enumerate(PETITIONS):
        alone = decider.answers(Reader().read([petition]), high=True)
        for task in TASKS:
            assert np.array_equal(alone.marginals[task][0], together.marginals[task][row]), task


def test_scores_are_alike_alone_and_in_a_batch_of_many(saved: Model, dataset: Dataset) -> None:
    assert saved.encoder
    texts = Reader().fields(dataset.fields[:200]).texts
    together = saved.encoder.probabilities(texts, range(100))
    for row in range(0, 100, 7):
        alone = saved.encoder.probabilities(texts, [row])
        assert all(np.array_equal(alone[task][0], together[task][row]) for task in TASKS)


@pytest.mark.parametrize("part", [f"{ENCODER}/{NETWORK}.0", f"{ENCODER}/{HEADS}", f"{ENCODER}/{TOKENIZER}", VECTORS])
def test_a_part_that_was_changed_is_refused(saved: Model, tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(folder_of(saved), tmp_path / "changed")
    content = bytearray((folder / part).read_bytes())
    content[-3] ^= 1
    (folder / part).write_bytes(content)
    with pytest.raises(RefusedModel, match=f"{part} 与清单中的 SHA-256 不符"):
        load(folder)
    (folder / part).unlink()
    with pytest.raises(RefusedModel, match=f"缺少文件 {part}"):
        load(folder)


def test_a_process_that_decides_never_imports_torch(saved: Model, tmp_path: Path) -> None:
    letters = tmp_path / "letters.jsonl"
    letters.write_text("\n".join(json.dumps({"id": one.id, "text": one.text}) for one in PETITIONS), encoding="utf-8")
    model = always(saved).model.save(tmp_path / "always", "always")
    command = ["decide", str(letters), "--model", str(folder_of(model)), "--accuracy", "high"]
    code = (
        f"import sys; sys.argv = ['jiesu', *{command!r}]\n"
        "import jiesu\n"
        "try:\n    jiesu.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'onnx'} & set(sys.modules)\n"
        "assert 'onnxruntime' in sys.modules and not heavy, heavy\n"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    assert len(told.stdout.splitlines()) == len(PETITIONS)


def counting(stop: int | None = None) -> tuple[list[int], Callable[[str, int], None]]:
    """The steps of a fine-tuning, one entry each time that some are told; with `stop` it is killed at that step."""
    steps: list[int] = []

    def step(_what: str, number: int) -> None:
        if number < 0:
            steps.append(-number)
            if stop and sum(steps) == stop:
                raise KilledError

    return steps, step


def test_a_fine_tuning_that_was_killed_goes_on(done: Fit, dataset: Dataset, source: str, tmp_path: Path) -> None:
    whole, step = counting()
    first = fine_tuned(done, dataset, source, None, tmp_path / "whole", step, QUICK)
    assert sum(whole) == len(whole) == -(-first.rows // QUICK.batch) > 5
    killed, step = counting(stop=5)
    with pytest.raises(KilledError):
        fine_tuned(done, dataset, source, None, tmp_path / "killed", step, QUICK)
    assert len(killed) == 5
    rest, step = counting()
    again = fine_tuned(done, dataset, source, None, tmp_path / "killed", step, QUICK)
    assert rest[0] == 5  # the four steps that were kept, and the first that it took itself
    assert (len(rest), sum(rest)) == (len(whole) - 4, len(whole))
    assert not (tmp_path / "killed").exists()
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_fine_tuning_changes_the_pieces_and_the_layers_that_stay(
    done: Fit, dataset: Dataset, source: str, tmp_path: Path
) -> None:
    tuned = fine_tuned(done, dataset, source, 1, tmp_path / "scratch", unheard, QUICK)
    before = open_encoder(source)
    pieces = tuned.network.encoder.get_input_embeddings().weight
    assert pieces.shape == before.get_input_embeddings().weight.shape
    assert not torch.equal(pieces, before.get_input_embeddings().weight)
    changed = tuned.network.encoder.encoder.layer
    assert len(changed) == 1
    assert not torch.equal(changed[0].output.dense.weight, before.encoder.layer[0].output.dense.weight)


def test_only_the_lowest_layers_stay(source: str) -> None:
    whole, one = open_encoder(source), open_encoder(source, 1)
    assert one.config.num_hidden_layers == len(one.encoder.layer) == 1
    assert torch.equal(one.encoder.layer[0].output.dense.weight, whole.encoder.layer[0].output.dense.weight)


@pytest.mark.parametrize("layers", [0, 3, 99])
def test_more_layers_than_there_are_is_refused(source: str, layers: int) -> None:
    with pytest.raises(RefusedModel, match=f"有 2 层，不能缩成 {layers} 层"):
        open_encoder(source, layers)


def test_a_source_that_does_not_exist_is_refused(
    done: Fit, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    source = str(tmp_path / "没有这个")
    with pytest.raises(RefusedModel, match=f"{source}.*打不开.*jiesu encoder get"):
        fine_tuned(done, dataset, source, None, tmp_path / "scratch", unheard)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RefusedModel, match="打不开"):
        open_encoder(tmp_path)


def test_a_rebuilt_checkpoint_is_what_transformers_reads(tmp_path: Path) -> None:
    """No tensor is missing or left over, and the tokenizer keeps its marks."""
    random, pieces = np.random.default_rng(3), [*SPECIAL, "▁", "路", "灯", "ไฟ"]
    shapes = {"emb.word": (len(pieces), WIDTH), "emb.pos": (32, WIDTH), "emb.type": (2 * WIDTH,)}
    shapes |= dict.fromkeys(("emb.ln.w", "emb.ln.b"), (WIDTH,))
    for name in LAYER:
        outer, inner = 32 if name == "fi" else WIDTH, 32 if name == "fo" else WIDTH
        shapes |= {f"l0.{name}.w": (WIDTH,) if name in {"aln", "oln"} else (outer, inner), f"l0.{name}.b": (outer,)}
    tensors = {name: random.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    scores = np.linspace(0, -7, len(pieces), dtype=np.float32)
    write_checkpoint(Packed(WIDTH, 1, 2, 32, 32, 1e-12, pieces, scores, tensors), tmp_path / "rebuilt")
    model, told = BertModel.from_pretrained(tmp_path / "rebuilt", add_pooling_layer=False, output_loading_info=True)
    assert not any(told.values())
    assert np.array_equal(model.encoder.layer[0].output.dense.weight.detach(), tensors["l0.fo.w"])
    cutter = AutoTokenizer.from_pretrained(tmp_path / "rebuilt")
    assert cutter.tokenize("路灯") == ["▁", "路", "灯"]
    assert (cutter.pad_token_id, cutter.unk_token_id) == (1, 3)
    assert cutter("灯")["input_ids"] == [0, 4, 6, 2]


def network_of(source: str) -> tuple[Network, Tokenizer]:
    return Network(open_encoder(source), {"category": 3, "tier": 2}), Tokenizer.from_file(f"{source}/tokenizer.json")


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))


def exact(network: Network, lines: list[str], pieces: Tokenizer) -> np.ndarray:
    """The float32 embedding of each line, as torch computes it, from the definition."""
    network.eval()
    found = []
    with torch.no_grad():
        for line in lines:
            ids = torch.tensor([pieces.encode(line).ids])
            found.append(SCALE * network.encoder(ids).last_hidden_state[0].mean(dim=0))
    return torch.stack(found).numpy()


def test_the_export_in_float32_is_the_network(source: str, tmp_path: Path) -> None:
    """Of any number of tokens, not only of the example that was traced."""
    network, pieces = network_of(source)
    to_onnx(network, tmp_path / "plain.onnx")
    session = InferenceSession(tmp_path / "plain.onnx")
    lines = ["query: 灯", *(f"query: {sentence}" for sentence in SENTENCES), "query: " + "".join(SENTENCES)]
    found = [session.run(None, {"input_ids": np.array([pieces.encode(line).ids])})[0][0] for line in lines]
    assert np.allclose(found, exact(network, lines, pieces), atol=1e-4)


def test_in_int8_it_points_the_same_way(source: str, tmp_path: Path) -> None:
    network, pieces = network_of(source)
    write_encoder(network, pieces, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([TOKENIZER, HEADS, f"{NETWORK}.0"])
    encoder = Encoder(tmp_path, EncoderSettings("query: ", 128, {"category": 3, "tier": 2}, 1.01, {}))
    lines = [f"query: {sentence}" for sentence in SENTENCES]
    assert cosines(encoder.embed(lines), exact(network, lines, pieces)).min() >= 0.97


def test_a_cut_tokenizer_embeds_what_it_kept_as_before(source: str) -> None:
    network, pieces = network_of(source)
    lines = [SENTENCES[0], "query: 路灯不亮"]
    numbers = kept(pieces, counted(pieces, lines), 40)
    assert len(numbers) == 40 < pieces.get_vocab_size()
    assert set(range(len(SPECIAL))) <= set(numbers)
    before = exact(network, lines, pieces)
    smaller = cut(network, pieces, numbers)
    assert smaller.get_vocab_size() == 40 == network.encoder.get_input_embeddings().num_embeddings
    assert [smaller.encode(line).tokens for line in lines] == [pieces.encode(line).tokens for line in lines]
    assert np.allclose(exact(network, lines, smaller), before, atol=1e-6)
    assert embedded(network, smaller, "query: ").shape == (40, WIDTH)


def test_the_prefix_is_the_encoders_own_or_that_of_its_family(source: str) -> None:
    assert prefix_of(source, BertConfig()) == "query: "
    assert prefix_of("/models/e5-small/bert-tiny", BertConfig()) == ""
    assert prefix_of("bert-tiny", BertConfig(prefix="为这个句子：")) == "为这个句子："


def test_static_vectors_are_read_by_a_cold_start(
    saved: Model, taxonomy: Taxonomy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: list[Row]
) -> None:
    prior = prior_of(saved)
    assert prior.vectors is not None
    found = prior.vectors.of(["路灯", "漏水", "路灯"])
    assert found.shape == (3, WIDTH)
    assert np.array_equal(found[0], found[2])
    assert not np.allclose(found[0], found[1])
    monkeypatch.setattr(training.coldstart, "read_rows", lambda: corpus[::40])
    table = tmp_path / "类别.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = [["类别名称", "含义"], ["灯光组", "路灯、灯杆损坏，路灯不亮"], ["用水组", "停水、水管爆裂、漏水"]]
        csv.writer(file).writerows(rows)
    made = from_taxonomy(table, saved, taxonomy)
    assert made.taxonomy.codes("category") == ["灯光组", "用水组"]
    assert made.card["prior"] == saved.name


def test_an_office_gets_heads_of_its_own_on_the_same_network(
    saved: Model, office: Dataset, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    own, tree = taxonomy_of(office, taxonomy)
    done = fit(own, tree, Recipe(prior=prior_of(saved), heads=FitSettings(jobs=1)), unheard)
    out, (steps, step) = tmp_path / "office", counting()
    assert saved.encoder
    model = with_frozen(done, own, done.model.save(out, "office"), saved.encoder, out, step)
    assert sum(steps) == len(own)
    assert model.encoder
    assert model.encoder.settings.widths == {"category": len(set(office.labels["category"]))}
    assert model.card["encoder"]["cascade"]["rows"] == len(own)
    assert model.vectors is None
    for name in (TOKENIZER, f"{NETWORK}.0"):
        assert (model.encoder.folder / name).read_bytes() == (saved.encoder.folder / name).read_bytes()
    answers = always(model).answers(Reader().fields(own.fields), high=True)
    assert answers.asked.all()
    assert (answers.best["category"] == own.columns("category", tree)).mean() > 0.9
