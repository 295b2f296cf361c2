"""Whether the libraries that learned codecs need are here; asked without loading them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from engine.errors import EngineError

CODEC = ("torch", "safetensors")
TRAINING = (*CODEC, "tensorboard")


def missing(libraries: Iterable[str] = CODEC) -> str | None:
    """Which of the libraries are missing, in plain words with the remedy; None if they are here."""
    absent = [name for name in libraries if find_spec(name) is None]
    if not absent:
        return None
    return f"{' and '.join(absent)} must be installed: pip install {' '.join(absent)}"


def require(what: str, libraries: Iterable[str] = CODEC) -> None:
    """`EngineError` if `what` (training, …) cannot be done here for want of a library."""
    why = missing(libraries)
    if why is not None:
        raise EngineError(f"{what} cannot be done here: {why}")
