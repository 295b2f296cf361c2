"""An imported model beside CompressAI's own, where that package is installed: the same latent, the same picture."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.codec import Ctx
from engine.errors import EngineError
from engine.learned.published import passage
from engine.learned.published.architecture import HYPER_CELL, Shape
from engine.learned.published.symbols import SymbolCoder
from engine.learned.spans import computing

PACKAGE = "compressai"
TOLERANCE = 1e-4
SIZE = 2 * HYPER_CELL, 3 * HYPER_CELL  # of the picture that both see
_NEAR_A_TIE = 0.01  # of a step: there roundings of both may go apart
_CLASSES = {
    "bmshj2018-factorized": "FactorizedPrior",
    "bmshj2018-hyperprior": "ScaleHyperprior",
    "mbt2018-mean": "MeanScaleHyperprior",
    "mbt2018": "JointAutoregressiveHierarchicalPriors",
    "cheng2020-anchor": "Cheng2020Anchor",
    "cheng2020-attn": "Cheng2020Attention",
}


def missing() -> str | None:
    """Why nothing can be compared here; None where it can."""
    return None if find_spec(PACKAGE) else f"{PACKAGE} is not installed (pip install {PACKAGE})"


def package() -> str:
    """Its name and version."""
    return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"


def peer_model(shape: Shape, floats: Mapping[str, np.ndarray] | None = None) -> Any:
    """CompressAI's model, with these weights or random ones, ready to code."""
    try:
        models = importlib.import_module(f"{PACKAGE}.models")
    except Exception as error:  # it loads much else, which may fail in ways of its own
        raise EngineError(f"{PACKAGE} does not load: {error}") from error
    kind = getattr(models, _CLASSES[shape.architecture.name])
    model = kind(shape.width) if shape.architecture.residual else kind(shape.width, shape.latent)
    if floats is not None:
        model.load_state_dict(model.state_dict() | {name: torch.from_numpy(array) for name, array in floats.items()})
    model.update(force=True)
    return model.eval()


def compare(shape: Shape, floats: Mapping[str, np.ndarray], integers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """How far our latent ŷ and picture x̂ are from the package's, at most, for a picture of noise and waves.

    latent, picture: of the whole model in float, as it was trained. coded_latent: of what streams hold, ours in exact
    arithmetic; where a value is rounded from within a hundredth of a step of a tie, both may choose, and what follows
    such a place is not compared: `ties` counts them. `EngineError` if it is more than 1e-4.
    """
    theirs, ours = peer_model(shape, floats), passage.model_of(shape, floats)
    seen: dict[str, Tensor] = {}
    theirs.g_s.register_forward_pre_hook(lambda _module, given: seen.__setitem__("latent", given[0].clone()))
    pixels = picture()
    with computing(1):
        given = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        their_picture, ours_passed = theirs(given)["x_hat"], ours(given)
        whole = {
            "latent": _farthest(ours_passed.latent, seen["latent"]),
            "picture": _farthest(ours_passed.picture, their_picture),
        }
        strings = theirs.compress(given)
        theirs.decompress(strings["strings"], strings["shape"])
    latent, hyper = passage.analyse(ours, pixels, Ctx())
    data, coded = SymbolCoder(shape, integers).encode(latent, hyper, Ctx())
    found = {
        **whole,
        **_coded(coded.floats(), seen["latent"], shape),
        "bytes": len(data),
        "their_bytes": sum(len(string[0]) for string in strings["strings"]),
        "tolerance": TOLERANCE,
        "package": package(),
    }
    worst = max(found["latent"], found["picture"], found["coded_latent"])
    if not worst <= TOLERANCE:
        raise EngineError(f"is not what {found['package']} makes of it: off by {worst:.3g}")
    return found


def picture() -> np.ndarray:
    """H×W×3 u8: waves and noise."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    waves = 128 + 60 * np.sin(rows[..., None] / (7, 9, 11)) * np.cos(columns[..., None] / (13, 8, 10))
    noise = np.random.default_rng(5).normal(0, 12, (*SIZE, 3))
    return np.rint((waves + noise).clip(0, 255)).astype(np.uint8)


def _coded(ours: np.ndarray, theirs: Tensor, shape: Shape) -> dict[str, Any]:
    """The difference of coded latents, H×W×M. Where a value is off by a step, it was rounded the other way from near a
    tie; positions that are predicted from such a place then differ, too."""
    difference = np.abs(ours - theirs[0].permute(1, 2, 0).numpy())
    whole_steps = np.abs(difference - 1) < _NEAR_A_TIE
    if shape.architecture.context and whole_steps.any():
        first = int(np.argmax(whole_steps.any(2)))
        return {"coded_latent": float(difference.reshape(-1, shape.latent)[:first].max(initial=0)), "ties": 1}
    return {"coded_latent": float(difference[~whole_steps].max(initial=0)), "ties": int(whole_steps.sum())}


def _farthest(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max())
