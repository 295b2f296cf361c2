"""Checkpoints as they are published: read without running anything in them, and brought to one set of names."""

from __future__ import annotations

import math
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import CorruptStream, EngineError
from engine.learned.published import architecture, networks
from engine.learned.published.architecture import Shape
from engine.learned.published.layers import LEAST_BETA, PEDESTAL

MAX_BYTES = 1 << 30
_ROOT = math.sqrt
# What checkpoints carry besides weights: constants that our layers have built in, and tables that are made anew.
_CONSTANTS = {
    "beta_reparam.pedestal": PEDESTAL,
    "gamma_reparam.pedestal": PEDESTAL,
    "beta_reparam.lower_bound.bound": _ROOT(LEAST_BETA + PEDESTAL),
    "gamma_reparam.lower_bound.bound": _ROOT(PEDESTAL),
    "lower_bound_scale.bound": 0.11,
    "gaussian_conditional.scale_bound": 0.11,
    "likelihood_lower_bound.bound": 1e-9,
}
_MADE_ANEW = ("_offset", "_quantized_cdf", "_cdf_length", "scale_table", "entropy_bottleneck.target")
_MASK = "context_prediction.mask"
_NAMES = (  # as earlier versions had them, and as they are now
    (re.compile(r"^module\."), ""),
    (re.compile(r"\.downsample\."), ".skip."),
    (re.compile(r"^entropy_bottleneck\._(matri)(?:x|ces\.)(\d)$"), r"entropy_bottleneck.\1ces.\2"),
    (re.compile(r"^entropy_bottleneck\._(bias|factor)(?:es|s)?\.?(\d)$"), r"entropy_bottleneck.\1s.\2"),
    (re.compile(r"^entropy_bottleneck\.biass\."), "entropy_bottleneck.biases."),
)


@dataclass(frozen=True)
class Published:
    """A checkpoint. weights: f32 by the names of `PublishedModel`."""

    shape: Shape
    weights: dict[str, np.ndarray]


def read(path: Path) -> Published:
    """The checkpoint in `path`: a state dict as torch saves it, by itself or as the `state_dict` of a training's
    checkpoint, or safetensors. Every tensor must be known, and of the right shape. Raises an `EngineError` that
    names the file."""
    try:
        return published(_load(path))
    except EngineError as error:
        raise error.at(path) from error


def published(state: Mapping[str, Tensor]) -> Published:
    """The checkpoint with this state; `CorruptStream` says what is missing or unknown in it."""
    weights = {}
    for given, tensor in state.items():
        name = _renamed(given)
        if not _checked_away(name, tensor):
            weights[name] = tensor
    shape = architecture.recognise({name: tuple(tensor.shape) for name, tensor in weights.items()})
    wanted = networks.state_shapes(shape)
    where = f"a model of {shape.architecture.name}"
    if missing := sorted(wanted.keys() - weights.keys()):
        raise CorruptStream(f"is no {where}: it has no '{missing[0]}'{_more(missing)}")
    if unknown := sorted(weights.keys() - wanted.keys()):
        raise CorruptStream(f"is no {where}: nobody knows its '{unknown[0]}'{_more(unknown)}")
    for name, size in wanted.items():
        if tuple(weights[name].shape) != size:
            raise CorruptStream(f"is no {where}: '{name}' is {tuple(weights[name].shape)}, not {size}")
    return Published(shape, {name: _floats(name, weights[name]) for name in wanted})


def _load(path: Path) -> dict[str, Tensor]:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise EngineError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error
    if size > MAX_BYTES or _unpacked(path) > MAX_BYTES:
        raise CorruptStream("is too large for a checkpoint")
    content: Any
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            content = load_file(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's remarks on old formats
                content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CorruptStream("is no checkpoint of tensors alone; others are not loaded, as they may run code") from error
    except Exception as error:  # torch documents none of what it raises for damaged files
        raise CorruptStream(f"is no checkpoint that torch can read ({type(error).__name__})") from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise CorruptStream("holds no state dict")
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()):
        raise CorruptStream("holds something else than tensors")
    return dict(content)


def _unpacked(path: Path) -> int:
    """Bytes that an archive says it holds; 0 for what is none."""
    if not zipfile.is_zipfile(path):
        return 0
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise CorruptStream("is a damaged archive") from error


def _renamed(name: str) -> str:
    for old, new in _NAMES:
        name = old.sub(new, name)
    return name


def _checked_away(name: str, tensor: Tensor) -> bool:
    """Whether a tensor is no weight. `CorruptStream` where a constant is another one than ours."""
    if name.endswith(_MADE_ANEW):
        return True
    for ending, value in _CONSTANTS.items():
        if name.endswith(ending):
            if tensor.numel() != 1 or not math.isclose(float(tensor), value, rel_tol=1e-5):
                raise CorruptStream(f"its '{name}' is not {value:g}: it was trained with another arithmetic")
            return True
    if name == _MASK:
        seen = torch.ones(5, 5)
        seen[2, 2:] = 0
        seen[3:] = 0
        if tensor.shape[2:] != (5, 5) or not (tensor == seen).all():
            raise CorruptStream("its context is not that of the 12 positions before in a window of 5×5")
        return True
    return False


def _floats(name: str, tensor: Tensor) -> np.ndarray:
    if not tensor.is_floating_point():
        raise CorruptStream(f"its '{name}' is {tensor.dtype}, no weights")
    values: np.ndarray = tensor.detach().float().numpy()
    if not np.isfinite(values).all():
        raise CorruptStream(f"its '{name}' holds values that are no numbers")
    return np.ascontiguousarray(values)


def _more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
