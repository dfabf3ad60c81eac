"""Export: a fine-tuned network as ONNX, in int8."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch
from onnxruntime.quantization import quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from training.encoder.network import Network

OPSET = 20
QUANTISED = ["MatMul", "Gemm", "Gather"]


class Embedder(nn.Module):
    """The part of a network that is exported: tokens without padding in, the pooled vector out."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor) -> Tensor:
        """(n, tokens) → (n, width)."""
        return self.network.embed(input_ids, torch.ones_like(input_ids))


def to_onnx(network: Network, path: Path) -> None:
    """Write the network in float32."""
    network.eval()
    example = torch.randint(5, 100, (2, 16))
    shapes = {
        "input_ids": {0: torch.export.Dim("texts", min=1, max=1024), 1: torch.export.Dim("tokens", min=2, max=512)}
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            Embedder(network), (example,), str(path), input_names=["input_ids"], output_names=["pooled"],
            dynamic_shapes=shapes, opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip


def quantised(source: Path) -> bytes:
    """The network of a file in int8, the scales of its activations taken from each text while it runs.

    Scales fixed beforehand by calibration cost too much here: a few directions of E5's states are far larger than the
    others, and one scale for all bends the rest (cosine to float32 0.88 against 0.98, accuracy 3 points lower on 400
    held-out petitions). Weights have 7 bits: without VNNI a CPU's 8-bit multiplication saturates (onnxruntime's note
    on U8S8 and reduce_range).
    """
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        ready, small = Path(scratch) / "ready.onnx", Path(scratch) / "int8.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        quantize_dynamic(str(ready), str(small), per_channel=True, reduce_range=True, op_types_to_quantize=QUANTISED)
        return small.read_bytes()
