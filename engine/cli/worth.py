"""What weights are worth: the real codec, file bytes and all, over a folder of pictures, beside other codecs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.bd import NotComparable, bd_set
from engine.cli.console import Console
from engine.cli.pictures import told_store, usable
from engine.cli.rd import find_pictures
from engine.cli.span import useful_values
from engine.curves import find, pairs, parse_curves
from engine.errors import EngineError
from engine.experiment import Experiment
from engine.learned import stored
from engine.learned.card import ARCHITECTURE
from engine.report import rd_document

ANCHORS = ("jpeg", "jpeg2000")
METRICS = ("psnr", "ms_ssim")
POINTS = 8


def measure(weights: Path, folder: Path, console: Console, store: Path | None, workers: int | None) -> dict[str, Any]:
    """The codec's mean curve over the folder's pictures, and its BD-rates by PSNR against each anchor.

    Every encode is kept in the store: what was interrupted goes on where it was. Raises an `EngineError` if a picture
    cannot be read, a codec cannot run, or nothing can be compared.
    """
    pictures = find_pictures([folder])
    codecs: Mapping[str, dict[str, Any]] = {name: {} for name in (ARCHITECTURE, *ANCHORS)}
    with stored.encoding_with(weights), told_store(store, console) as kept:
        for name in codecs:
            usable(name)
        values = useful_values(next(iter(pictures.values())), codecs, POINTS, kept, workers)
        experiment = Experiment(pictures, codecs, values, METRICS)
        result = experiment.run(
            kept, workers=workers, on_progress=lambda part, name: console.progress(f"{100 * part:.0f} %, {name}")
        )
    if result.failures:
        first = result.failures[0]
        raise EngineError(f"measuring failed: {first.codec or 'reading'}: {first.message}", path=pictures[first.input])
    document = rd_document(experiment, result)
    return {
        "folder": folder.resolve().name,
        "pictures": document["inputs"],
        "curve": document["codecs"][ARCHITECTURE]["points"],
        "bd_rate": {anchor: _against(document, anchor) for anchor in ANCHORS},
        "environment": document["environment"],
    }


def _against(document: Mapping[str, Any], anchor: str) -> dict[str, Any]:
    """The geometric mean of the pictures' BD-rates by PSNR, None with the reason where nothing can be compared."""
    curves = parse_curves(document)
    theirs, ours = find(curves, anchor).per_image, find(curves, ARCHITECTURE).per_image
    both = {name: (pairs(theirs[name], "psnr"), pairs(ours[name], "psnr")) for name in ours if name in theirs}
    try:
        found = bd_set(both)
    except NotComparable as error:
        return {"bd_rate": None, "error": str(error)}
    return {"bd_rate": found.value, "lo": found.lo, "hi": found.hi, "pictures": len(found.per_image)}
