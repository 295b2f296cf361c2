"""Whether the libraries that learned codecs are made with are here; asked without loading them."""

from __future__ import annotations

from importlib.util import find_spec

from engine.errors import EngineError

LIBRARIES = ("torch", "safetensors", "tensorboard")


def missing() -> str | None:
    """What is missing, in plain words with the remedy; None if nothing is."""
    absent = [name for name in LIBRARIES if find_spec(name) is None]
    if not absent:
        return None
    return f"{' and '.join(absent)} must be installed: pip install 'ratescope[learned]'"


def require(what: str) -> None:
    """`EngineError` if `what` (training, …) cannot be done here."""
    why = missing()
    if why is not None:
        raise EngineError(f"{what} cannot be done here: {why}")
