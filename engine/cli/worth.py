"""What weights are worth: the real codec, file bytes and all, over a folder of pictures, beside other codecs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from engine.learned.card import load_card
from engine.learned.recipe import FILTERS, LIGHT, PHOTOGRAPHS
from engine.report import rd_document

POINTS = 8


@dataclass(frozen=True)
class Yardstick:
    """What weights are measured by. metrics: the BD-rates are by the first. within: of its range, what counts for them.
    whole: settings are spread along each codec's whole range, so many, not from about 0.1 to 2 bits per pixel."""

    anchors: tuple[str, ...]
    metrics: tuple[str, ...]
    within: tuple[float, float] | None = None
    whole: int | None = None


YARDSTICKS = {
    PHOTOGRAPHS: Yardstick(("jpeg", "jpeg2000"), ("psnr", "ms_ssim")),
    LIGHT: Yardstick(("jxl", "jpeg2000", "wavelet"), ("log2_psnr", "banding", "seam"), (42.0, 58.0), 16),
    FILTERS: Yardstick(("jxl", "jpeg2000", "wavelet"), ("log2_psnr", "banding", "seam"), (42.0, 58.0), 16),
}


def measure(weights: Path, folder: Path, console: Console, store: Path | None, workers: int | None) -> dict[str, Any]:
    """The codec's mean curve over the folder's pictures, and its BD-rates against each anchor.

    Every encode is kept in the store: what was interrupted goes on where it was. Raises an `EngineError` if a picture
    cannot be read, a codec cannot run, or nothing can be compared.
    """
    pictures = find_pictures([folder])
    architecture = load_card(weights)["architecture"]
    yardstick = YARDSTICKS[architecture]
    codecs: Mapping[str, dict[str, Any]] = {name: {} for name in (architecture, *yardstick.anchors)}
    with stored.encoding_with(weights), told_store(store, console) as kept:
        for name in codecs:
            usable(name)
        values: Mapping[str, int | tuple[Any, ...]] = dict.fromkeys(codecs, yardstick.whole or POINTS)
        if yardstick.whole is None:
            values = useful_values(next(iter(pictures.values())), codecs, POINTS, kept, workers)
        experiment = Experiment(pictures, codecs, values, yardstick.metrics)
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
        "curve": document["codecs"][architecture]["points"],
        "bd_rate": {anchor: _against(document, architecture, anchor) for anchor in yardstick.anchors},
        "environment": document["environment"],
    }


def _against(document: Mapping[str, Any], architecture: str, anchor: str) -> dict[str, Any]:
    """The geometric mean of the pictures' BD-rates, None with the reason where nothing can be compared."""
    curves = parse_curves(document)
    theirs, ours = find(curves, anchor).per_image, find(curves, architecture).per_image
    yardstick = YARDSTICKS[architecture]
    metric = yardstick.metrics[0]
    both = {name: (pairs(theirs[name], metric), pairs(ours[name], metric)) for name in ours if name in theirs}
    try:
        found = bd_set(both, within=yardstick.within)
    except NotComparable as error:
        return {"bd_rate": None, "error": str(error)}
    return {"bd_rate": found.value, "lo": found.lo, "hi": found.hi, "pictures": len(found.per_image)}
