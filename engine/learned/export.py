"""Weights for others: safetensors in half precision, and a card that says what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from engine.errors import CorruptStream, EngineError
from engine.files import atomic_write
from engine.learned.card import ARCHITECTURE, LICENCE, attribution_path, card_path, load_card, write_card
from engine.learned.checkpoint import LOG, read_checkpoint
from engine.learned.model import HyperpriorModel, channels_last
from engine.learned.recipe import ModelRecipe, RateRecipe, architecture_of

MAX_BYTES = 256 << 20


def export(weights: Mapping[str, Tensor], card: Mapping[str, Any], path: Path) -> None:
    """Write weights (convolutions in half precision, everything small in full) and their card, path.json."""
    stored = {
        name: tensor.detach().half() if tensor.dim() == 4 else tensor.detach().float().clone()
        for name, tensor in weights.items()
    }
    data = safetensors.torch.save({name: tensor.contiguous() for name, tensor in stored.items()})
    parameters = sum(tensor.numel() for tensor in stored.values())
    made = {"digest": hashlib.sha256(data).hexdigest(), "bytes": len(data), "parameters": parameters}
    atomic_write(path, data)
    write_card(path, {"architecture": ARCHITECTURE, "licence": LICENCE, **card, **made})


def export_run(folder: Path, path: Path, *, note: str = "", attribution: str = "") -> dict[str, Any]:
    """Export the averaged weights of the run or decay in `folder`; returns their card.

    attribution: whose pictures they were trained on, for a text file beside the weights.
    Raises an `EngineError` that names the folder's file at fault, or why nothing could be written.
    """
    state = read_checkpoint(folder)
    if attribution:
        atomic_write(attribution_path(path), attribution.encode())
    card = {
        "note": note,
        "recipe": state["recipe"],
        "data": state.get("data"),  # runs of long ago do not say
        "attribution": attribution_path(path).name if attribution else None,
        "training": {**state["progress"], "skipped": state["optimiser"]["skipped"], "machine": state.get("machine")},
        "measured": {"held_back": held_back_curve(folder, state["progress"]["steps"])},
    }
    export(state["averaged"], card, path)
    return load_card(path)


def held_back_curve(folder: Path, steps: int) -> dict[str, Any] | None:
    """What the log of a run says of its newest state up to `steps`: rates are estimates, from likelihoods."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    newest = None
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:  # a line that a power cut left unfinished
            continue
        if record["steps"] <= steps:
            newest = {name: record[name] for name in ("steps", "cost", "curve")}
    return newest


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
