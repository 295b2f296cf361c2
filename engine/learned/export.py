"""Weights for others: safetensors in few bits, and a card that says what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor

from engine.errors import CorruptStream
from engine.files import atomic_write
from engine.learned import stored, vector_prior
from engine.learned.card import LICENCE, attribution_path, commands, load_card, write_card
from engine.learned.checkpoint import read_checkpoint
from engine.learned.freeze import entropy_convolutions, freeze, thaw
from engine.learned.model import LatentModel, channels_last
from engine.learned.recipe import VECTORS, ModelRecipe, RateRecipe, architecture_name, architecture_of
from engine.learned.run_folder import LOG
from engine.learned.stored import CODE_MAX, INTEGERS, STEP, Stored

OF_PRIOR = "prior."
LAST = ("synthesis.leave.weight", "plausible.leave.weight")
"""The convolutions that write to a picture: in eight bits they alone cost a tenth of a percent of rate."""
MATRIX = "_matrix"  # ends the names of the transform's


def export(weights: Mapping[str, Tensor], card: Mapping[str, Any], path: Path) -> None:
    """Write weights and their card, path.json: the entropy networks as the integers that streams depend on, other
    convolutions in eight bits, but for the last of a decoder; these and matrices in half precision, everything small in
    full. `EngineError` if they cannot be integers."""
    model = build_model(*architecture_of(card["recipe"]), weights, path)
    frozen = freeze(model)
    entropy = {f"{name}.{part}" for name in entropy_convolutions(model) for part in ("weight", "bias")}
    named = {name.removeprefix(OF_PRIOR): tensor for name, tensor in weights.items()}
    named = {name: tensor for name, tensor in named.items() if not name.startswith(vector_prior.PARTS)}
    arrays = {name: half(tensor, name) for name, tensor in named.items() if name not in entropy}
    arrays |= {INTEGERS + name: array for name, array in frozen.items()}
    in_bytes = in_eight_bits(arrays)
    kept = {name: array for name, array in in_bytes.items() if name.removesuffix(STEP) not in LAST}
    kept |= {name: arrays[name] for name in LAST if name in arrays}
    if card.get("backbone"):
        exact = arrays | {name: half(tensor) for name, tensor in named.items() if tensor.dim() == 2}
        kept = without_backbone(kept, (in_bytes, exact), card["backbone"]["digest"])
    data = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in kept.items()})
    parameters = sum(tensor.numel() for tensor in weights.values())
    made = {"digest": hashlib.sha256(data).hexdigest(), "bytes": len(data), "parameters": parameters}
    atomic_write(path, data)
    write_card(path, {"architecture": architecture_name(card["recipe"]), "licence": LICENCE, **card, **made})


def in_eight_bits(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Convolutions that are floats as whole multiples of a step for each output: a tenth of a percent of rate or two,
    for half of the bytes."""
    found: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.dtype != np.float16 or array.ndim != 4 or not np.isfinite(array).all():
            found[name] = array
            continue
        weights = array.astype(np.float32)
        step = np.abs(weights).max((1, 2, 3)) / CODE_MAX
        step[step == 0] = 1
        found[name] = np.rint(weights / step[:, None, None, None]).astype(np.int8)
        found[name + STEP] = step.astype(np.float32)
    return found


def without_backbone(
    kept: Mapping[str, np.ndarray], forms: Sequence[Mapping[str, np.ndarray]], digest: str
) -> dict[str, np.ndarray]:
    """Of what is kept, what is not the same in the weights with this digest, and where the rest is (see
    `engine.learned.stored`); forms: the same in eight bits and in more, as those weights may have it."""
    backbone = stored.tensors(stored.with_digest(digest))
    same = [name for name in backbone if any(_equal(arrays.get(name), backbone[name]) for arrays in forms)]
    learned_on = [name for name in backbone if name.endswith(MATRIX) and name not in same and name in kept]
    changes = [stored.moved(kept[name], backbone[name], name) for name in learned_on]
    covered = {*same, *(name + STEP for name in same), *learned_on}
    rest = {name: array for name, array in kept.items() if name not in covered}
    rest |= {name: array for change in changes for name, array in change.items()}
    return {**rest, stored.BACKBONE: stored.reference(digest, [*same, *learned_on])}


def _equal(own: np.ndarray | None, given: np.ndarray) -> bool:
    return own is not None and own.dtype == given.dtype and np.array_equal(own, given)


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
        "backbone": state.get("backbone"),
        "attribution": attribution_path(path).name if attribution else None,
        "training": {**state["progress"], "skipped": state["optimiser"]["skipped"], "machine": state.get("machine")},
        "commands": commands(architecture_name(state["recipe"]), state["progress"]),
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


def half(tensor: Tensor, name: str = "") -> np.ndarray:
    """A tensor in half precision if it is a convolution, or a transform's matrix by its name; else in single."""
    small = tensor.dim() == 4 or name.endswith(MATRIX)
    return tensor.detach().to(torch.float16 if small else torch.float32).cpu().numpy()


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors in `path`, in full precision, checked against the card's digest."""
    return tensors_of(stored.read(path))


def tensors_of(weights: Stored) -> dict[str, Tensor]:
    """What a model is made of, in full precision; the entropy networks from their integers."""
    tensors = {}
    for name, array in weights.floats.items():
        if array.dtype != np.int8:
            tensors[name] = torch.tensor(array).float()
        elif name + STEP in weights.floats and weights.floats[name + STEP].shape == (len(array),):
            tensors[name] = torch.tensor(array).float() * torch.tensor(weights.floats[name + STEP])[:, None, None, None]
        else:
            raise CorruptStream(f"the steps of '{name}' are missing", path=weights.path)
    for name in [name for name in tensors if name.endswith(STEP)]:
        del tensors[name]
    if weights.model.prior == VECTORS:
        tensors |= vector_prior.thawed_books(weights.model, weights.integers)
    for name in (name.removesuffix(".shift") for name in weights.integers if name.endswith(".shift")):
        try:
            tensors |= thaw(weights.integers, name)
        except (KeyError, RuntimeError) as error:
            raise CorruptStream(f"the integers of '{name}' do not fit together", path=weights.path) from error
    return tensors


def load_model(path: Path) -> LatentModel:
    """A model with the weights in `path`, for use. Raises an `EngineError` that names the file."""
    return model_of(stored.read(path))


def model_of(weights: Stored) -> LatentModel:
    """A model with weights that were read, for use."""
    model = build_model(weights.model, weights.rate, tensors_of(weights), weights.path)
    return model.eval().requires_grad_(False)


def in_place(weights: Mapping[str, Tensor], model: LatentModel) -> dict[str, Tensor]:
    """Weights by the names that the model has for them: files leave out that a part belongs to the prior."""
    own = model.state_dict().keys()
    return {OF_PRIOR + name if OF_PRIOR + name in own else name: tensor for name, tensor in weights.items()}


def build_model(model: ModelRecipe, rate: RateRecipe, weights: Mapping[str, Tensor], path: Path) -> LatentModel:
    """A model of this recipe with these weights, which came from `path`."""
    built = LatentModel(model, rate)
    try:
        built.load_state_dict(in_place(weights, built))
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise CorruptStream(f"its weights do not fit the architecture: {problem}", path=path) from error
    return channels_last(built)
