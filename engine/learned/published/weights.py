"""Imported models on disk: safetensors with a card beside them, like other weights; looked up without torch.

The card names the codec that a checkpoint belongs to. Several of one codec are a ladder of rates.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.errors import CorruptStream, EngineError
from engine.learned import stored, zoo
from engine.learned.card import load_card
from engine.learned.published import architecture
from engine.learned.published.architecture import ARCHITECTURES, MOST_CHANNELS, Shape
from engine.learned.stored import INTEGERS, NAME_BYTES, VARIABLE

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Imported:
    """What the card of an imported checkpoint says. name: the first bytes of its digest in hex, as streams have it.
    width, latent: channels of its networks and of its latent. bpp: what it takes for the picture that it was tried
    on."""

    path: Path
    codec: str
    label: str
    architecture: str
    digest: str
    width: int
    latent: int
    bpp: float

    @property
    def name(self) -> str:
        return self.digest[: 2 * NAME_BYTES]


@dataclass(frozen=True)
class Content:
    """The tensors of an imported checkpoint. floats: as the checkpoint has them. integers: what streams depend on."""

    shape: Shape
    floats: dict[str, np.ndarray]
    integers: dict[str, np.ndarray]


Stamp = tuple[tuple[Path, int, int], ...]


def stamp() -> Stamp:
    """The cards of weights that are not the program's, with what changes when they do."""
    return tuple(_stamps())


@lru_cache(maxsize=4)
def ladders(cards: Stamp) -> dict[str, tuple[Imported, ...]]:
    """Imported checkpoints by the id of their codec, from fewest bits to most; cards at fault are left out, and so
    are checkpoints of another architecture than the first of that id."""
    found: dict[str, dict[str, Imported]] = {}
    for card in cards:
        each = _imported(*card)
        if each is not None:
            rungs = found.setdefault(each.codec, {})
            if all(other.architecture == each.architecture for other in rungs.values()):
                rungs.setdefault(each.digest, each)
    return {codec: tuple(sorted(rungs.values(), key=_order)) for codec, rungs in found.items()}


def named(name: str) -> Imported:
    """The checkpoint that a stream names; `EngineError` says where it would be looked for."""
    for rungs in ladders(stamp()).values():
        for each in rungs:
            if each.name == name:
                return each
    raise EngineError(
        f"this picture was coded with the imported checkpoint {name}, which is not in {zoo.user_folder()}",
        hint="import it again with 'ratescope models import', or put its .safetensors and .json files there",
    )


def read(path: Path) -> Content:
    """The tensors in `path`, checked against their card. Raises an `EngineError` that names the file."""
    arrays = stored.tensors(path)
    integers = {name.removeprefix(INTEGERS): array for name, array in arrays.items() if name.startswith(INTEGERS)}
    floats = {name: array for name, array in arrays.items() if not name.startswith(INTEGERS)}
    try:
        shape = architecture.recognise({name: array.shape for name, array in floats.items()})
    except CorruptStream as error:
        raise error.at(path) from error
    return Content(shape, floats, integers)


def _stamps() -> Iterator[tuple[Path, int, int]]:
    given = [Path(name) for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    own = sorted(zoo.user_folder().glob(f"*{zoo.SUFFIX}"))
    for path in [*given, *own]:
        try:
            status = path.with_suffix(".json").stat()
        except OSError:
            continue
        yield path, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=256)
def _imported(path: Path, _time: int, _size: int) -> Imported | None:
    """What a card says; None where it is not that of an imported checkpoint."""
    try:
        card = load_card(path)
        codec, label, digest = (card.get(name) for name in ("codec", "label", "digest"))
        if card["architecture"] not in ARCHITECTURES or not all(isinstance(x, str) for x in (codec, label, digest)):
            return None
        zoo.check_id(str(codec))
    except EngineError:
        return None
    width, latent = (_channels(card.get(name)) for name in ("width", "latent"))
    if not _DIGEST.fullmatch(str(digest)) or width is None or latent is None:
        return None
    tried = card.get("tried")
    bpp = tried.get("bpp") if isinstance(tried, dict) else None
    number = float(bpp) if isinstance(bpp, int | float) and math.isfinite(bpp) else 0.0
    return Imported(path, str(codec), str(label), card["architecture"], str(digest), width, latent, number)


def _channels(said: object) -> int | None:
    return said if isinstance(said, int) and 1 <= said <= MOST_CHANNELS else None


def _order(each: Imported) -> tuple[float, str]:
    return each.bpp, each.digest
