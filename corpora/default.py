"""The default model: where it stands, and whether it was trained on the corpus of this checkout."""

from __future__ import annotations

from pathlib import Path

from corpora.petitions import corpus_hash, default_taxonomy
from nlp.errors import RefusedModel
from nlp.model import FORMAT, read_manifest

CORPUS = "jiesu-corpus"
SHIPPED = Path(__file__).parents[1] / "models" / "default"  # in the tree, with its encoder


def default_folder(home: Path) -> Path:
    """Where the default model stands: under the service's home if one was fitted there, or else in the tree."""
    own = home / "models" / "default"
    return SHIPPED if not is_current(own) and is_current(SHIPPED) else own


def is_current(folder: Path) -> bool:
    """Whether the folder holds a model of this corpus, taxonomy, dictionary and format."""
    try:
        manifest = read_manifest(folder)
    except RefusedModel:
        return False
    card = manifest.get("card") or {}
    return bool(
        manifest["format"] == FORMAT
        and card.get("hash") == corpus_hash()
        and manifest.get("taxonomy") == default_taxonomy().hash
    )
