"""What weights are worth: the real codec, file bytes and all, over a folder of pictures, beside other codecs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from engine.bd import NotComparable, bd_set
from engine.cli.console import Console
from engine.cli.pictures import told_store, usable
from engine.cli.rd import codec_settings, find_pictures
from engine.cli.span import useful_values
from engine.curves import find, pairs, parse_curves
from engine.errors import EngineError
from engine.experiment import Experiment
from engine.learned import stored
from engine.learned.card import load_card
from engine.learned.recipe import FILTERS, LIGHT
from engine.lightmaps import compare
from engine.lightmaps import measure as lightmaps
from engine.report import rd_document
from engine.store import RunStore

POINTS = 8


ANCHORS = ("jpeg", "jpeg2000")
METRICS = ("psnr", "ms_ssim")
LIGHT_ANCHORS = ("jxl-log", "jpeg2000-log")
LIGHT_ROWS = (*LIGHT_ANCHORS, "wavelet")
GENERATIVE_METRICS = ("psnr", "ms_ssim", "ssimulacra2", "flip", "patch_frechet")
GENERATIVE_QUALITIES = (17.0, 30.0, 40.0)  # about 0.1, 0.15 and 0.2 bits per pixel
LIGHT_QUALITIES = (42.0, 46.0, 50.0, 54.0, 58.0)  # dB of log2-PSNR


def measure(weights: Path, folder: Path, console: Console, store: Path | None, workers: int | None) -> dict[str, Any]:
    """The codec's mean curve over the folder's pictures, and its BD-rates against other codecs: by PSNR, or of light by
    log2-PSNR, as `ratescope lightmaps` has it. What makes texture up is measured beside its parent, at equal symbols.

    Every encode is kept in the store: what was interrupted goes on where it was. Raises an `EngineError` if a picture
    cannot be read, a codec cannot run, or nothing can be compared.
    """
    pictures = find_pictures([folder])
    card = load_card(weights)
    architecture = card["architecture"]
    with stored.encoding_with(weights), told_store(store, console) as kept:
        told: Callable[..., dict[str, Any]] = _light if architecture in (LIGHT, FILTERS) else _photographs
        if card.get("recipe", {}).get("texture") is not None:
            told = partial(_generative, parent=card["backbone"]["codec"])
        return {"folder": folder.resolve().name, **told(architecture, pictures, console, kept, workers)}


def _photographs(
    architecture: str, pictures: Mapping[str, Path], console: Console, store: RunStore, workers: int | None
) -> dict[str, Any]:
    codecs: Mapping[str, dict[str, Any]] = {name: {} for name in (architecture, *ANCHORS)}
    for name in codecs:
        usable(name)
    values = useful_values(next(iter(pictures.values())), codecs, POINTS, store, workers)
    document = _document(Experiment(pictures, codecs, values, METRICS), console, store, workers)
    return {
        "pictures": document["inputs"],
        "curve": document["codecs"][architecture]["points"],
        "bd_rate": {anchor: _against(document, architecture, anchor) for anchor in ANCHORS},
        "environment": document["environment"],
    }


def _generative(
    architecture: str,
    pictures: Mapping[str, Path],
    console: Console,
    store: RunStore,
    workers: int | None,
    *,
    parent: str,
) -> dict[str, Any]:
    """Every metric at some rates, and the same of the codec whose symbols these are."""
    codecs: Mapping[str, dict[str, Any]] = {name: {} for name in (architecture, parent)}
    experiment = Experiment(pictures, codecs, dict.fromkeys(codecs, GENERATIVE_QUALITIES), GENERATIVE_METRICS)
    document = _document(experiment, console, store, workers)
    return {
        "pictures": document["inputs"],
        "curve": document["codecs"][architecture]["points"],
        "parent": {parent: document["codecs"][parent]["points"]},
        "environment": document["environment"],
    }


def _document(experiment: Experiment, console: Console, store: RunStore, workers: int | None) -> dict[str, Any]:
    result = experiment.run(store, workers=workers, on_progress=_progress(console))
    if result.failures:
        first = result.failures[0]
        where = experiment.inputs[first.input]
        raise EngineError(f"measuring failed: {first.codec or 'reading'}: {first.message}", path=where)
    return rd_document(experiment, result)


def _light(
    architecture: str, maps: Mapping[str, Path], console: Console, store: RunStore, workers: int | None
) -> dict[str, Any]:
    """Banding and seams: the mean score over that of the first anchor, both at the rate where that has 50 dB."""
    codecs = codec_settings(",".join((architecture, *LIGHT_ROWS)), [])
    found = lightmaps.measure(maps, codecs, LIGHT_ANCHORS, store, workers=workers, on_progress=_progress(console))
    if found.failures:
        raise EngineError(f"measuring failed: {found.failures[0].codec or 'reading'}: {found.failures[0].message}")
    ours, anchor = found.rows[architecture], found.rows[LIGHT_ANCHORS[0]]
    scores = {metric: compare.at_one_rate(anchor, ours, metric) for metric in ("banding", "seam")}
    return {
        "pictures": len(ours),
        "curve": [
            {"bpp": bpp, "log2_psnr": quality} for bpp, quality in compare.mean_curve(anchor, ours, LIGHT_QUALITIES)
        ],
        "bd_rate": {name: _light_against(found.rows[name], ours) for name in LIGHT_ROWS},
        "against_jxl_log": {metric: score[0] for metric, score in scores.items() if score is not None},
        "environment": found.environment,
    }


def _light_against(theirs: compare.Maps, ours: compare.Maps) -> dict[str, Any]:
    found = compare.against(theirs, ours)
    return {"bd_rate": found.percent, "pictures": len(found.ratios), "refused": dict(found.refused)}


def _progress(console: Console) -> Callable[[float, str], None]:
    return lambda part, name: console.progress(f"{100 * part:.0f} %, {name}")


def _against(document: Mapping[str, Any], architecture: str, anchor: str) -> dict[str, Any]:
    """The geometric mean of the pictures' BD-rates by PSNR, None with the reason where nothing can be compared."""
    curves = parse_curves(document)
    theirs, ours = find(curves, anchor).per_image, find(curves, architecture).per_image
    both = {name: (pairs(theirs[name], "psnr"), pairs(ours[name], "psnr")) for name in ours if name in theirs}
    try:
        found = bd_set(both)
    except NotComparable as error:
        return {"bd_rate": None, "error": str(error)}
    return {"bd_rate": found.value, "lo": found.lo, "hi": found.hi, "pictures": len(found.per_image)}
