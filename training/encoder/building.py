"""Build: an encoder beside the linear model, fine-tuned, exported, and weighed against it on rows that neither saw."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoTokenizer

from nlp.encoder import TOKENIZER, Encoder, EncoderSettings, lines, parted
from nlp.model import VECTORS, Model
from nlp.reader import Reader
from nlp.text import Texts
from training.cascade import Cascade, cascade
from training.dataset import Dataset
from training.encoder.export import quantised, to_onnx
from training.encoder.network import Network, open_encoder
from training.encoder.pieces import counted, cut, embedded, kept
from training.encoder.tune import Rows, Step, TuneSettings, tune
from training.fitting import Fit
from training.mount import mounted, save_heads
from training.split import split
from training.vectors import packed, reduced

HELD = 0.1  # of the rows: what the encoder and the linear model are weighed on


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned network, how it reads, and how it came about.

    pieces: which of its source's it has kept. counts: (those,) how often each stands in the rows.
    held: (rows,) true for the rows that it has not seen. rows: how many it has learned from.
    """

    network: Network
    tokenizer: Tokenizer
    pieces: Sequence[int]
    counts: NDArray[np.int64]
    prefix: str
    held: NDArray[np.bool_]
    settings: TuneSettings
    source: str
    rows: int
    minutes: float


def add_encoder(done: Fit, dataset: Dataset, model: Model, source: str, distil: int | None, out: Path,
                step: Step) -> Model:  # fmt: skip
    """Fine-tune an encoder on the rows of a fit and save the model with it; a run that was killed goes on."""
    scratch = out.with_name(f".{out.name}-tuning")
    return with_encoder(done, dataset, model, fine_tuned(done, dataset, source, distil, scratch, step), out)


def fine_tuned(done: Fit, dataset: Dataset, source: str, distil: int | None, scratch: Path, step: Step,
               settings: TuneSettings = TuneSettings()) -> Tuned:  # fmt: skip
    """The network of a source, with the pieces that are of use, fine-tuned on nine tenths of the rows."""
    torch.manual_seed(settings.seed)
    network = Network(open_encoder(source, distil), {task: done.model.heads.widths[task] for task in done.labels})
    config = AutoConfig.from_pretrained(source)
    prefix = prefix_of(source, config)
    read = lines(prefix, settings.tokens, texts_of(dataset), range(len(dataset)))
    whole = tokenizer_of(source)
    counts = counted(whole, read)
    numbers = kept(whole, counts)
    tokenizer = cut(network, whole, numbers)
    held = np.zeros(len(dataset), np.bool_)
    held[split(replace(dataset, times=()), HELD, settings.seed).held] = True
    ids = tokenized(tokenizer, read, settings.tokens)
    rows = np.flatnonzero(~held)
    labels = np.stack([done.labels[task] for task in network.tasks], axis=1)
    began = time.monotonic()
    seen = Rows([ids[row] for row in rows.tolist()], labels[rows])
    tune(network, seen, numbers.index(config.pad_token_id or 0), settings, scratch, step)
    minutes = (time.monotonic() - began) / 60
    return Tuned(network, tokenizer, numbers, counts[numbers], prefix, held, settings, source, len(rows), minutes)


def with_encoder(done: Fit, dataset: Dataset, model: Model, tuned: Tuned, out: Path) -> Model:
    """Export a fine-tuned network, weigh it against the linear model, and save both as one model at `out`."""
    texts = texts_of(dataset)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        folder, vectors = Path(scratch) / "encoder", Path(scratch) / VECTORS
        folder.mkdir()
        packed(tuned.tokenizer, reduced(untuned(tuned), tuned.counts)).save(vectors)
        write_encoder(tuned.network, tuned.tokenizer, folder)
        widths = {task: done.model.heads.widths[task] for task in tuned.network.tasks}
        settings = EncoderSettings(tuned.prefix, tuned.settings.tokens, widths, asked=1.01, mix={})
        weighed = weigh(done, Encoder(folder, settings), texts, tuned.held)
        return mounted(model, folder, settings, weighed, _card(tuned), out, vectors)


def write_encoder(network: Network, tokenizer: Tokenizer, folder: Path) -> None:
    """The files of an encoder: tokenizer, heads, and the network in int8."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / TOKENIZER))
    save_heads(((head.weight.detach().numpy().T, head.bias.detach().numpy()) for head in network.heads), folder)
    plain = folder / "plain.onnx"
    to_onnx(network, plain)
    for name, part in parted(quantised(plain)):
        (folder / name).write_bytes(part)
    plain.unlink()


def weigh(done: Fit, encoder: Encoder, texts: Texts, held: NDArray[np.bool_]) -> Cascade:
    """Both models' answers to the rows that neither was fitted on, and how they are mixed."""
    known = held & done.fitted[next(iter(done.labels))].known
    rows = np.flatnonzero(known)
    linear = {task: answers[rows] for task, answers in done.answers.items()}
    labels = {task: columns[rows] for task, columns in done.labels.items()}
    return cascade(linear, encoder.probabilities(texts, rows.tolist()), labels, done.model.thresholds.error)


def untuned(tuned: Tuned) -> NDArray[np.float32]:
    """(pieces, width): what the encoder knew of each piece before it was fine-tuned."""
    network = Network(open_encoder(tuned.source), {})
    tokenizer = cut(network, tokenizer_of(tuned.source), tuned.pieces)
    known: NDArray[np.float32] = embedded(network, tokenizer, tuned.prefix)
    return known


def tokenizer_of(source: str) -> Tokenizer:
    """The tokenizer of a source."""
    tokenizer: Tokenizer = AutoTokenizer.from_pretrained(source).backend_tokenizer
    return tokenizer


def texts_of(dataset: Dataset) -> Texts:
    """The petitions as every model reads them: folded, masked."""
    return Reader().fields(dataset.fields).texts


def tokenized(tokenizer: Tokenizer, lines: Sequence[str], tokens: int) -> list[list[int]]:
    """The pieces of each line, at most `tokens`."""
    tokenizer.enable_truncation(tokens)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(lines))]


def prefix_of(source: str, config: Any) -> str:
    """What an encoder wants to read before a text: its own word, or that of the E5 family."""
    return str(getattr(config, "prefix", "") or ("query: " if "e5" in Path(source).name.lower() else ""))


def _card(tuned: Tuned) -> dict[str, Any]:
    return {
        "source": Path(tuned.source).name,
        "layers": tuned.network.encoder.config.num_hidden_layers,
        "pieces": len(tuned.pieces),
        "rows": tuned.rows,
        "held_out": int(tuned.held.sum()),
        "epochs": tuned.settings.epochs,
        "tokens": tuned.settings.tokens,
        "minutes": round(tuned.minutes, 1),
        "threads": torch.get_num_threads(),
    }
