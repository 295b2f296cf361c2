"""Weights for others: safetensors in half precision, and a card in JSON that says what they are."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from engine.errors import CorruptStream, EngineError
from engine.files import atomic_write
from engine.learned.checkpoint import read_checkpoint
from engine.learned.model import HyperpriorModel, channels_last
from engine.learned.recipe import ModelRecipe, RateRecipe, architecture_of

ARCHITECTURE = "hyperprior"
MAX_BYTES = 256 << 20


def export(weights: Mapping[str, Tensor], card: Mapping[str, Any], path: Path) -> None:
    """Write weights (convolutions in half precision, everything small in full) and their card, path.json."""
    stored = {
        name: tensor.detach().half() if tensor.dim() == 4 else tensor.detach().float().clone()
        for name, tensor in weights.items()
    }
    data = safetensors.torch.save({name: tensor.contiguous() for name, tensor in stored.items()})
    card = {**card, "architecture": ARCHITECTURE, "digest": hashlib.sha256(data).hexdigest()}
    card["parameters"] = sum(tensor.numel() for tensor in stored.values())
    atomic_write(path, data)
    atomic_write(card_path(path), (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())


def card_path(weights: Path) -> Path:
    return weights.with_suffix(".json")


def load_card(path: Path) -> dict[str, Any]:
    """The card of the weights in `path`. Raises an `EngineError` that names the file."""
    card = card_path(path)
    try:
        content = json.loads(card.read_text(encoding="utf-8"))
    except OSError as error:
        raise EngineError("the card of these weights cannot be read", path=card) from error
    except ValueError as error:
        raise CorruptStream(f"is not valid JSON: {error}", path=card) from error
    if not isinstance(content, dict) or content.get("architecture") != ARCHITECTURE:
        raise CorruptStream(f"is not the card of a {ARCHITECTURE} model", path=card)
    return content


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors in `path`, in full precision, checked against the card's digest."""
    card = load_card(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CorruptStream("is too large for weights", path=path)
        data = path.read_bytes()
    except OSError as error:
        raise EngineError(f"cannot be read: {(error.strerror or str(error)).lower()}", path=path) from error
    if hashlib.sha256(data).hexdigest() != card.get("digest"):
        raise CorruptStream("does not match the digest in its card", path=path)
    try:
        return {name: tensor.float() for name, tensor in safetensors.torch.load(data).items()}
    except SafetensorError as error:
        raise CorruptStream(f"is not a safetensors file: {error}", path=path) from error


def load_model(path: Path) -> HyperpriorModel:
    """A model with the weights in `path`, for use. Raises an `EngineError` that names the file."""
    card = load_card(path)
    try:
        model, rate = architecture_of(card.get("recipe", {}))
    except EngineError as error:
        raise error.at(card_path(path)) from error
    return build_model(model, rate, load_weights(path), path).eval().requires_grad_(False)


def build_model(model: ModelRecipe, rate: RateRecipe, weights: Mapping[str, Tensor], path: Path) -> HyperpriorModel:
    """A model of this recipe with these weights, which came from `path`."""
    built = HyperpriorModel(model, rate)
    try:
        built.load_state_dict(dict(weights))
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise CorruptStream(f"its weights do not fit the architecture: {problem}", path=path) from error
    return channels_last(built)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.learned.export", description=__doc__)
    parser.add_argument("run", type=Path, help="a folder of engine.learned.train, or the decay within it")
    parser.add_argument("out", type=Path, help="weights to write (.safetensors); the card goes beside them")
    options = parser.parse_args(arguments)
    try:
        checkpoint = read_checkpoint(options.run)
        card = {"recipe": checkpoint["recipe"], **checkpoint["progress"]}
        export(checkpoint["averaged"], card, options.out)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
