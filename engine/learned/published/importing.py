"""From a published checkpoint to a codec: safetensors with the integers that its streams depend on, and a card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.codec import Ctx
from engine.errors import EngineError, UsageError
from engine.files import atomic_write
from engine.image import Image
from engine.learned import zoo
from engine.learned.card import write_card
from engine.learned.published import passage, state, weights
from engine.learned.published.architecture import Shape
from engine.learned.published.freezing import freeze
from engine.learned.published.state import Published
from engine.learned.published.symbols import SymbolCoder
from engine.learned.stored import INTEGERS, NAME_BYTES

TRIED_SIDE = 256  # pixels of the picture that a checkpoint is tried on
NOT_STATED = "not stated"
PREFIX = "cai-"


@dataclass(frozen=True)
class Wanted:
    """How to import. codec: its id, "" for one after the architecture. label: "" for one after that. licence, source:
    what the user knows of them."""

    codec: str = ""
    label: str = ""
    licence: str = NOT_STATED
    source: str = ""


def import_checkpoint(path: Path, wanted: Wanted, folder: Path) -> dict[str, Any]:
    """Convert the checkpoint in `path` into weights in `folder`; their card, and `file`, where they are.

    Raises an `EngineError` that names the file. Checkpoints that are there already are written again.
    """
    published = state.read(path)
    name = published.shape.architecture.name
    codec = zoo.check_id(wanted.codec or f"{PREFIX}{name}")
    _require_same_architecture(codec, name)
    try:
        integers = freeze(published.shape, published.weights)
        tried = try_out(published.shape, published.weights, integers)
    except EngineError as error:
        raise error.at(path) from error
    data = _packed(published, integers)
    digest = hashlib.sha256(data).hexdigest()
    card = {
        "architecture": name,
        "codec": codec,
        "label": wanted.label or f"{name}, imported",
        "note": f"a CompressAI checkpoint, imported from {path.name}",
        "source": {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "from": wanted.source,
            "imported": datetime.now(UTC).strftime("%Y-%m-%d"),
        },
        "licence": wanted.licence,
        "parameters": sum(array.size for array in published.weights.values()),
        "width": published.shape.width,
        "latent": published.shape.latent,
        "tried": tried,
        "digest": digest,
        "bytes": len(data),
    }
    target = folder / f"{codec}-{digest[: 2 * NAME_BYTES]}{zoo.SUFFIX}"
    atomic_write(target, data)
    write_card(target, card)
    return {"file": str(target), **card}


def try_out(shape: Shape, floats: Mapping[str, np.ndarray], integers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What a bundled picture takes, and how near it comes back: rungs are put in order by that."""
    image = _picture()
    model = passage.model_of(shape, floats)
    coder = SymbolCoder(shape, integers)
    latent, hyper = passage.analyse(model, image.pixels, Ctx())
    data, coded = coder.encode(latent, hyper, Ctx())
    if coder.decode(data, (latent.shape[0], latent.shape[1]), Ctx()).checksum != coded.checksum:
        raise EngineError("its streams do not come back as they were")
    shown = np.rint(np.nan_to_num(passage.render(model, coded.floats(), Ctx())).clip(0, 255))
    error = float(np.square(shown - image.pixels).mean())
    psnr = 10 * np.log10(255**2 / max(error, 1e-9))
    return {
        "picture": f"a part of a bundled photograph, {image.width}×{image.height}",
        "bpp": round(8 * len(data) / (image.width * image.height), 5),
        "psnr": round(float(psnr), 3),
    }


def _picture() -> Image:
    from engine.io import read
    from engine.samples import samples

    image = read(samples()[0].path).image
    top, left = ((side - TRIED_SIDE) // 2 for side in (image.height, image.width))
    return replace(image, pixels=np.ascontiguousarray(image.pixels[top : top + TRIED_SIDE, left : left + TRIED_SIDE]))


def _require_same_architecture(codec: str, architecture: str) -> None:
    from engine import registry

    there = weights.ladders(weights.stamp()).get(codec)
    if there is None and codec in (*registry.codec_ids(), *registry.DECODERS):
        raise UsageError(f"'{codec}' is the name of another codec; choose one with --id")
    if there is not None and there[0].architecture != architecture:
        raise UsageError(
            f"'{codec}' is a codec of {there[0].architecture} checkpoints; choose another --id for {architecture}"
        )


def _packed(published: Published, integers: dict[str, np.ndarray]) -> bytes:
    from safetensors.numpy import save

    coded = {f"{INTEGERS}{name}": np.ascontiguousarray(array) for name, array in integers.items()}
    return save({**published.weights, **coded})
