"""Pieces: which of a tokenizer's are of use, an encoder without the others, and what it knows of each by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from training.encoder.checkpoint import is_han
from training.encoder.network import Network

MOST = 16_000  # pieces that a shipped encoder keeps
BATCH = 512
Numbers = NDArray[np.int64]


def counted(tokenizer: Tokenizer, texts: Sequence[str]) -> Numbers:
    """(pieces,) how often each piece stands in the texts."""
    ids = [
        piece for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False) for piece in encoding.ids
    ]
    return np.bincount(ids, minlength=tokenizer.get_vocab_size()).astype(np.int64)


def kept(tokenizer: Tokenizer, counts: Numbers, most: int = MOST) -> list[int]:
    """The pieces to keep, in their order: special ones, those of the texts, single characters, then the likeliest."""
    rules = json.loads(tokenizer.to_str())
    if rules["model"]["type"] != "Unigram" or len(counts) <= most:
        return list(range(len(counts)))
    pieces, scores = zip(*rules["model"]["vocab"], strict=True)
    special = {entry["id"] for entry in rules["added_tokens"]}
    ranks = [
        (number not in special, counts[number] == 0 and not _single(pieces[number]), -scores[number])
        for number in range(len(pieces))
    ]
    order = sorted(range(len(pieces)), key=ranks.__getitem__)
    return sorted(order[:most])


def _single(piece: str) -> bool:
    """Whether it is one Chinese character, of which any other piece can be put together."""
    return len(piece) == 1 and is_han(piece)


def cut(network: Network, tokenizer: Tokenizer, numbers: Sequence[int]) -> Tokenizer:
    """Keep only these pieces in a network's embedding, in place; the tokenizer of what is left."""
    embedding = network.encoder.get_input_embeddings()
    if len(numbers) >= embedding.num_embeddings:
        return tokenizer
    weights = embedding.weight.detach()[list(numbers)]
    network.encoder.set_input_embeddings(nn.Embedding.from_pretrained(weights, freeze=False))
    network.encoder.config.vocab_size = len(numbers)
    rules = json.loads(tokenizer.to_str())
    place = {number: new for new, number in enumerate(numbers)}
    rules["model"]["vocab"] = [rules["model"]["vocab"][number] for number in numbers]
    rules["model"]["unk_id"] = place[rules["model"]["unk_id"]]
    rules["added_tokens"] = [entry | {"id": place[entry["id"]]} for entry in rules["added_tokens"]]
    for mark in (rules["post_processor"] or {}).get("special_tokens", {}).values():
        mark["ids"] = [place[number] for number in mark["ids"]]
    return Tokenizer.from_str(json.dumps(rules))


def embedded(network: Network, tokenizer: Tokenizer, prefix: str) -> NDArray[np.float32]:
    """(pieces, width): each piece alone through the encoder, behind its prefix and between the marks of a text."""
    network.eval()
    frame = tokenizer.encode(prefix).ids
    head, tail = (frame[:-1], frame[-1:]) if prefix else (frame[:1], frame[-1:])
    size = tokenizer.get_vocab_size()
    parts: list[NDArray[np.float32]] = []
    with torch.no_grad():
        for start in range(0, size, BATCH):
            ids = torch.tensor([[*head, number, *tail] for number in range(start, min(start + BATCH, size))])
            parts.append(network.embed(ids, torch.ones_like(ids)).numpy())
    return np.concatenate(parts)
