"""The pictures that come with the program; resources/samples/SOURCES.md says where each is from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """name: the file's stem, which commands may use. title: for people. path: the file, PNG or EXR."""

    name: str
    title: str
    path: Path


_TITLES = {
    "coffee": "Coffee cup",
    "astronaut": "Eileen Collins, astronaut",
    "chelsea": "Chelsea the cat",
    "rocket": "Falcon 9 at night",
    "rings": "Rings: 16 bits, Display P3, alpha",
    "room_lightmap": "Lightmap of a room: floating-point light, charts",
}
_SUFFIXES = {"room_lightmap": ".exr"}


def samples() -> list[Sample]:
    """Every bundled picture; the first is the one that the workbench opens with."""
    folder = Path(str(files("resources"))) / "samples"
    return [Sample(name, title, folder / f"{name}{_SUFFIXES.get(name, '.png')}") for name, title in _TITLES.items()]
