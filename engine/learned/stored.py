"""Weights files, read without torch: floats for the networks, and the integers that streams depend on.

A file is safetensors; what `freeze` made is under names that begin with "integers.". What is the same in other weights,
its backbone, may be left out: a tensor "backbone" holds their SHA-256 and the names of what is there; of matrices that
went on learning only the difference is kept. The file's own SHA-256 stands in the card, and the first bytes of that in
every stream, as the name of the model that decodes it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import CorruptStream, EngineError
from engine.learned import zoo
from engine.learned.card import card_path, load_card
from engine.learned.recipe import ModelRecipe, RateRecipe, architecture_of

INTEGERS = "integers."
BACKBONE = "backbone"
STEP = ".step"  # behind the name of a tensor of 8 bits: what an output's or a row's numbers are multiples of
MOVED = ".moved"  # behind the name of a matrix of the backbone's: how it has changed since
CODE_MAX = 127
_DIGEST_BYTES = 32
MAX_BYTES = 256 << 20
VARIABLE = "RATESCOPE_WEIGHTS"
NAME_BYTES = 4  # of a model's digest, in a stream


@dataclass(frozen=True)
class Stored:
    """A weights file. architecture: its codec's id. digest: hex SHA-256. floats, integers: tensors by name."""

    path: Path
    architecture: str
    digest: str
    model: ModelRecipe
    rate: RateRecipe
    floats: dict[str, np.ndarray]
    integers: dict[str, np.ndarray]


def read(path: Path) -> Stored:
    """The weights in `path`, checked against their card. Raises an `EngineError` that names the file."""
    card = load_card(path)
    try:
        model, rate = architecture_of(card.get("recipe", {}))
    except EngineError as error:
        raise error.at(card_path(path)) from error
    arrays = tensors(path)
    if BACKBONE in arrays:
        arrays = _with_backbone(arrays, path)
    integers = {name.removeprefix(INTEGERS): array for name, array in arrays.items() if name.startswith(INTEGERS)}
    floats = {name: array for name, array in arrays.items() if not name.startswith(INTEGERS)}
    return Stored(path, card["architecture"], card["digest"], model, rate, floats, integers)


def tensors(path: Path) -> dict[str, np.ndarray]:
    """What the file itself holds, by name, checked against the digest in its card. `EngineError` names the file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    digest = load_card(path).get("digest")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CorruptStream("is too large for weights", path=path)
        data = path.read_bytes()
    except OSError as error:
        raise EngineError(f"cannot be read: {(error.strerror or str(error)).lower()}", path=path) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise CorruptStream("does not match the digest in its card", path=path)
    try:
        return load(data)
    except SafetensorError as error:
        raise CorruptStream(f"is not a safetensors file: {error}", path=path) from error


def reference(digest: str, names: list[str]) -> np.ndarray:
    """The tensor that says which tensors of the weights with this digest belong to a file: u8."""
    return np.frombuffer(bytes.fromhex(digest) + "\n".join(names).encode(), np.uint8)


def _with_backbone(arrays: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    said = arrays[BACKBONE].tobytes()
    names = said[_DIGEST_BYTES:].decode(errors="replace").split("\n")
    backbone = tensors(with_digest(said[:_DIGEST_BYTES].hex(), path))
    missing = [name for name in names if name and name not in backbone]
    if missing:
        raise CorruptStream(f"builds on a tensor '{missing[0]}' that its backbone does not have", path=path)
    found = {name: backbone[name] for name in names if name}
    found |= {name: array for name, array in arrays.items() if name != BACKBONE}
    for name in [name for name in found if name.endswith(MOVED)]:
        _move(found, name.removesuffix(MOVED), path)
    return found


def moved(own: np.ndarray, backbone: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """What to keep of a matrix that went on learning: the difference, in eight bits of a step for each row."""
    change = own.astype(np.float32) - backbone.astype(np.float32)
    step = np.abs(change).max(1) / np.float32(CODE_MAX)
    step[step == 0] = 1
    return {name + MOVED: np.rint(change / step[:, None]).astype(np.int8), name + MOVED + STEP: step}


def _move(found: dict[str, np.ndarray], name: str, path: Path) -> None:
    """Put together a matrix of the backbone and what was learned since."""
    change, step, before = found.pop(name + MOVED), found.pop(name + MOVED + STEP, None), found.get(name)
    if before is None or step is None or change.shape != before.shape or step.shape != before.shape[:1]:
        raise CorruptStream(f"'{name}' does not go with its backbone's", path=path)
    found[name] = before.astype(np.float32) + change * step[:, None]


@dataclass(frozen=True)
class Installed:
    """Weights that are there. architecture: the codec that they are for. name: the first bytes of their digest in hex,
    as streams and `version` have it. points: of their range of rates."""

    path: Path
    architecture: str
    name: str
    points: int


def preferred(architecture: str) -> Installed | None:
    """The weights to encode with: those that the environment names, else the first of the zoo."""
    return next(installed(architecture), None)


@contextmanager
def encoding_with(path: Path) -> Iterator[None]:
    """Encode with the weights in `path` for a while, here and in the processes that are started meanwhile."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = os.pathsep.join(filter(None, (str(path.resolve()), before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def nothing_installed(architecture: str) -> str:
    """Why there is nothing to encode with, and what to do."""
    return f"there are no {architecture} weights: put some into {zoo.user_folder()}, or name a file in {VARIABLE}"


def named(architecture: str, name: str) -> Installed:
    """The weights that a stream names; `EngineError` says which are missing and where they would be looked for."""
    for each in installed(architecture):
        if each.name == name:
            return each
    raise EngineError(
        f"this picture was coded with the {architecture} weights {name}, which are not in {zoo.bundled_folder()}",
        hint=f"put their .safetensors and .json files into {zoo.user_folder()}, or name the file in {VARIABLE}",
    )


def read_preferred(architecture: str) -> Stored:
    """The weights to build on; `EngineError` if there are none."""
    weights = preferred(architecture)
    if weights is None:
        raise EngineError(nothing_installed(architecture))
    return read(weights.path)


def with_digest(digest: str, path: Path | None = None) -> Path:
    """The installed weights with this digest; `EngineError` if they are missing, which `path` builds on."""
    for each in _candidates():
        try:
            if load_card(each).get("digest") == digest:
                return each
        except EngineError:
            continue
    raise EngineError(
        f"builds on the weights {digest[: 2 * NAME_BYTES]}, which are not installed",
        path=path,
        hint=f"put their .safetensors and .json files into {zoo.user_folder()}, or name the file in {VARIABLE}",
    )


def _candidates() -> list[Path]:
    given = [Path(name) for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    return [*given, *(model.path for model in zoo.models())]


def installed(architecture: str) -> Iterator[Installed]:
    """All weights of an architecture whose card can be read, in the order in which they are preferred."""
    for path in _candidates():
        card = card_path(path)
        try:
            found = _look(path, card.stat().st_mtime_ns, path.stat().st_mtime_ns)
        except OSError:
            continue
        if found is not None and found.architecture == architecture:
            yield found


@lru_cache(maxsize=64)
def _look(path: Path, _card_time: int, _time: int) -> Installed | None:
    try:
        card: dict[str, Any] = load_card(path)
        digest, points = str(card.get("digest", "")), architecture_of(card.get("recipe", {}))[1].points
    except EngineError:
        return None
    return Installed(path, card["architecture"], digest[: 2 * NAME_BYTES], points) if len(digest) == 64 else None
