"""Fine-tune: transformers' Trainer over all tasks at once, on a CPU or a GPU, with check-points that resume."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_linear_schedule_with_warmup,
)
from transformers.trainer_utils import get_last_checkpoint

from training.encoder.network import Network

WARM = 0.1  # of all steps, while the rate rises
Step = Callable[[str, int], None]


@dataclass(frozen=True)
class TuneSettings:
    """How an encoder is fine-tuned, the embeddings of its pieces included."""

    epochs: int = 4
    batch: int = 32
    rate: float = 3e-4  # of the layers: small models of which layers were dropped want more than the usual 5e-5
    head_rate: float = 2e-3
    decay: float = 0.01
    tokens: int = 128
    seed: int = 20261123
    save_every: int = 200  # steps


@dataclass(frozen=True)
class Rows(Dataset[dict[str, Any]]):
    """Token ids, and (rows, tasks) labels."""

    ids: Sequence[Sequence[int]]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"input_ids": self.ids[row], "labels": self.labels[row]}


def collated(rows: Sequence[dict[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """Rows of one batch, padded to the longest."""
    length = max(len(row["input_ids"]) for row in rows)
    ids = torch.full((len(rows), length), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    for place, row in enumerate(rows):
        size = len(row["input_ids"])
        ids[place, :size] = torch.tensor(row["input_ids"])
        mask[place, :size] = 1
    labels = torch.from_numpy(np.stack([row["labels"] for row in rows]))
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class Told(TrainerCallback):
    """Hands every step on to a progress bar."""

    def __init__(self, progress: Step) -> None:
        self._progress = progress
        self._done = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The number of steps is known now."""
        self._progress("微调编码器", state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One step more, or several at once after a resumption."""
        self._progress("微调编码器", self._done - state.global_step)
        self._done = state.global_step


def tune(network: Network, rows: Rows, pad: int, settings: TuneSettings, scratch: Path, progress: Step) -> None:
    """Fine-tune the network in place; `scratch` holds the check-points, from which a killed run goes on."""
    steps = settings.epochs * -(-len(rows) // settings.batch)
    optimiser = _optimiser(network, settings)
    schedule = get_linear_schedule_with_warmup(optimiser, int(WARM * steps), steps)
    trainer = Trainer(
        model=network,
        args=_arguments(settings, scratch),
        train_dataset=rows,
        data_collator=lambda batch: collated(batch, pad),
        optimizers=(optimiser, schedule),
        callbacks=[Told(progress)],
    )
    trainer.remove_callback(PrinterCallback)  # standard output is not for this
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(scratch)) if scratch.is_dir() else None)
    shutil.rmtree(scratch, ignore_errors=True)


def _optimiser(network: Network, settings: TuneSettings) -> torch.optim.Optimizer:
    groups = [
        {"params": network.encoder.parameters(), "lr": settings.rate},
        {"params": network.heads.parameters(), "lr": settings.head_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=settings.decay, fused=True)


def _arguments(settings: TuneSettings, scratch: Path) -> TrainingArguments:
    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        max_grad_norm=1.0,
        train_sampling_strategy="group_by_length",
        save_steps=settings.save_every,
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=not gpu,
        bf16=gpu or torch.cpu._is_avx512_bf16_supported(),
        remove_unused_columns=False,
        dataloader_pin_memory=gpu,
        disable_tqdm=True,
    )
