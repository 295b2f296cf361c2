"""The imagecodecs package, imported when a codec of it is first used: it is large."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType


def load() -> ModuleType:
    return importlib.import_module("imagecodecs")


def missing(constants: str, name: str) -> str | None:
    """None if imagecodecs is here with that codec (`constants` is its class, such as "JPEGXL"), else what to do."""
    try:
        found = getattr(load(), constants).available
    except ImportError as error:
        return f"the imagecodecs package does not load ({error}): install it with 'pip install imagecodecs'"
    return None if found else f"this imagecodecs was built without {name}: install the wheel from PyPI"


def library(codec: str) -> str:
    """Library and version, as codec versions name it."""
    try:
        return f"{getattr(load(), f'{codec}_version')()}, imagecodecs {version('imagecodecs')}"
    except (ImportError, PackageNotFoundError):
        return "imagecodecs missing"
