"""The network: an encoder from Hugging Face, the mean of its last layer, and one linear head a task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from nlp.errors import RefusedModel

SCALE = 3.0  # of the heads' input: a vector of mean-pooled states is short, and heads learn faster from a longer one
SMOOTHING = 0.05
IGNORED = -1  # a missing label
WEIGHTS = {"category": 1.0, "tier": 0.3, "clock": 0.3, "type": 0.3}  # of the tasks in the loss


class Network(nn.Module):
    """An encoder with linear heads; all tasks learn in one pass.

    widths: task → number of labels.
    """

    def __init__(self, encoder: PreTrainedModel, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.encoder = encoder
        self.tasks = tuple(widths)
        self.heads = nn.ModuleList(nn.Linear(encoder.config.hidden_size, width) for width in widths.values())

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(n, tokens) → (n, width): the mean of the last states over the tokens that are no padding, scaled."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled: Tensor = SCALE * (states * mask).sum(dim=1) / mask.sum(dim=1)
        return pooled

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """The scores of each task; with (n, tasks) labels also the loss, rows without a label left out."""
        embedded = self.embed(input_ids, attention_mask)
        scores = {task: head(embedded) for task, head in zip(self.tasks, self.heads, strict=True)}
        return scores if labels is None else {"loss": self._loss(scores, labels), **scores}

    def _loss(self, scores: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        losses = [
            WEIGHTS[task] * nn.functional.cross_entropy(
                scores[task], labels[:, place], ignore_index=IGNORED, label_smoothing=SMOOTHING, reduction="sum"
            )
            for place, task in enumerate(self.tasks)
        ]  # fmt: skip
        return torch.stack(losses).sum() / len(labels)


def open_encoder(source: str | Path, layers: int | None = None) -> PreTrainedModel:
    """An encoder by local path or by its name on a hub, without dropout; with `layers`, only so many of its layers.

    The lowest layers stay (Sajjad et al. 2023: of all ways to drop layers, dropping the top ones costs least).
    Dropout is left out because fine-tuning takes few epochs and drawing its masks a sixth of the time on a CPU.
    Raises `RefusedModel` when it cannot be opened, or has fewer layers.
    """
    quiet = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "add_pooling_layer": False}
    try:
        encoder: PreTrainedModel = AutoModel.from_pretrained(str(source), **quiet)
    except (OSError, ValueError) as error:
        reason = "打不开：既不是本地文件夹，也下载不到（没有网络时用 jiesu encoder get）"
        raise RefusedModel(folder=source, reason=reason) from error
    if layers is not None:
        _keep(encoder, layers, source)
    return encoder


def _keep(encoder: PreTrainedModel, layers: int, source: str | Path) -> None:
    """Drop the layers above the first `layers`."""
    depth = encoder.config.num_hidden_layers
    stack = next(
        (module for module in encoder.modules() if isinstance(module, nn.ModuleList) and len(module) == depth), None
    )
    if stack is None or not 1 <= layers <= depth:
        raise RefusedModel(folder=source, reason=f"有 {depth} 层，不能缩成 {layers} 层")
    del stack[layers:]
    encoder.config.num_hidden_layers = layers
