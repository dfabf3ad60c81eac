"""Mount: an encoder beside a linear model, in one model folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from nlp.encoder import HEADS, Encoder, EncoderSettings
from nlp.model import Model
from training.cascade import Cascade

Head = tuple[NDArray[np.float32], NDArray[np.float32]]
"""(width of the encoder, labels) weights and (labels,) bias of one task."""


def save_heads(heads: Iterable[Head], folder: Path) -> None:
    """The heads of all tasks side by side, as an encoder reads them."""
    weights, bias = (np.concatenate(parts, axis=-1) for parts in zip(*heads, strict=True))
    save_file({"weights": np.ascontiguousarray(weights), "bias": bias}, folder / HEADS)


def mounted(model: Model, folder: Path, settings: EncoderSettings, weighed: Cascade, card: Mapping[str, object],
            out: Path, vectors: Path | None = None) -> Model:  # fmt: skip
    """Save the model with the encoder of a folder, asked and mixed as it was weighed; its name gets another hash."""
    settings = replace(settings, asked=weighed.asked, mix=weighed.mix)
    whole = replace(
        model,
        encoder=Encoder(folder, settings),
        vectors=vectors or model.vectors,
        thresholds=replace(model.thresholds, asked=weighed.confidence),
        card={**model.card, "encoder": {**card, "cascade": weighed.as_dict()}},
    )
    return whole.save(out, model.name.rsplit("-", 1)[0])
