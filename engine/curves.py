"""Rate–distortion curves from files, whoever wrote them, as one type.

Four shapes of JSON are read: our own `ratescope rd --json`; the numbers that the window saves (a list of trials);
CompressAI's evaluation results ({"name", "description", "results": {"bpp": […], "psnr-rgb": […], …}}); and collections
of published curves ({"source", "curves": {key: {"name", "bpp": […], "psnr_rgb": […], …}}}), of which one is bundled.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from engine.errors import CorruptStream, EngineError, UnknownFormat, UsageError

MAX_BYTES = 64 << 20
_METRICS = {
    "psnr-rgb": "psnr",
    "psnr_rgb": "psnr",
    "ms-ssim": "ms_ssim",
    "ms_ssim_rgb": "ms_ssim",
    "ms-ssim-rgb": "ms_ssim",
    "psnr-y": "psnr_y",
    "psnr-yuv": "psnr_yuv",
}
"""Other people's names of metrics -> our ids."""


@dataclass(frozen=True)
class Curve:
    """The points of one codec, by rising rate.

    points: each has "bpp" and some metric ids (and, in our own files, times and settings).
    source: where the figures come from, for a caption. per_image: picture -> its own points, where known.
    """

    name: str
    points: tuple[Mapping[str, Any], ...]
    source: str = ""
    per_image: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)

    def pairs(self, metric: str) -> list[tuple[float, float]]:
        """(bpp, score) of every point that has this metric."""
        return pairs(self.points, metric)

    def has(self, metric: str) -> bool:
        return any(metric in point for point in self.points)


def pairs(points: Iterable[Mapping[str, Any]], metric: str) -> list[tuple[float, float]]:
    """(bpp, score) of every point that has this metric."""
    return [(point["bpp"], point[metric]) for point in points if metric in point]


def read_curves(path: str | Path) -> list[Curve]:
    """Every curve in a JSON file; `UnknownFormat` or `CorruptStream` name the file and what is wrong."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnknownFormat("too large for a file of curves", path=path)
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise EngineError(f"cannot be read: {error.strerror}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise UnknownFormat(f"is not JSON: {error}", path=path) from error
    try:
        return parse_curves(document)
    except EngineError as error:
        raise error.at(path) from error


def published() -> list[Curve]:
    """The bundled published curves: learned and conventional codecs on the Kodak set, pooled means."""
    text = resources.files("resources").joinpath("curves", "kodak_published.json").read_text("utf-8")
    return parse_curves(json.loads(text))


def parse_curves(document: Any) -> list[Curve]:
    """Every curve in a parsed JSON document of a shape that we know."""
    if isinstance(document, Mapping):
        for key, kind, read in _SHAPES:
            if isinstance(document.get(key), kind):
                curves = read(document)
                if not curves:
                    raise CorruptStream("holds no curve")
                return curves
    raise UnknownFormat("holds no curves of a known shape", hint="rd JSON, CompressAI results, or a collection")


def find(curves: Sequence[Curve], name: str) -> Curve:
    """The curve of this name; `UsageError` lists the known ones."""
    for curve in curves:
        if curve.name == name:
            return curve
    raise UsageError(f"no curve is named '{name}'; there are {', '.join(curve.name for curve in curves)}")


def _own(document: Mapping[str, Any]) -> list[Curve]:
    source = f"mean of {document['inputs']} pictures" if document.get("inputs", 1) != 1 else ""
    out = []
    for name, entry in document["codecs"].items():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("points"), list):
            raise CorruptStream(f"codec '{name}' has no list of points")
        images = entry.get("images", {})
        if not isinstance(images, Mapping):
            raise CorruptStream(f"the pictures of codec '{name}' are not an object")
        per_image = {image: _checked(name, points) for image, points in images.items()}
        out.append(Curve(name, _checked(name, entry["points"]), source, per_image))
    return out


def _trials(document: Mapping[str, Any]) -> list[Curve]:
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in document["trials"]:
        if not isinstance(row, Mapping) or not isinstance(row.get("codec"), str):
            raise CorruptStream("a trial names no codec")
        rows.setdefault(row["codec"], []).append(row)
    return [Curve(name, _checked(name, points)) for name, points in rows.items()]


def _compressai(document: Mapping[str, Any]) -> list[Curve]:
    name = str(document.get("name", "unnamed"))
    return [Curve(name, _columns(name, document["results"]), str(document.get("description", "")))]


def _collection(document: Mapping[str, Any]) -> list[Curve]:
    source = ", ".join(str(document[key]) for key in ("set", "source") if key in document)
    out = []
    taken: set[str] = set()
    for key, entry in document["curves"].items():
        if not isinstance(entry, Mapping):
            raise CorruptStream(f"curve '{key}' is not an object")
        name = str(entry.get("name", key))
        name = key if name in taken else name
        taken.add(name)
        out.append(Curve(name, _columns(name, entry), source))
    return out


_SHAPES = (
    ("codecs", Mapping, _own),
    ("trials", list, _trials),
    ("results", Mapping, _compressai),
    ("curves", Mapping, _collection),
)


def _columns(name: str, table: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Lists side by side -> points; anything that is not a list of numbers is a remark, not a column."""
    columns = {_METRICS.get(key, key): value for key, value in table.items() if isinstance(value, list)}
    if "bpp" not in columns:
        raise CorruptStream(f"curve '{name}' has no list 'bpp'")
    count = len(columns["bpp"])
    for key, values in columns.items():
        if len(values) != count:
            raise CorruptStream(f"curve '{name}' has {count} rates, but {len(values)} values of '{key}'")
    return _checked(name, [{key: values[i] for key, values in columns.items()} for i in range(count)])


def _checked(name: str, points: Any) -> tuple[Mapping[str, Any], ...]:
    """The points by rising rate, each an object with a positive rate; scores that are no numbers are left out."""
    out = []
    for point in points if isinstance(points, list) else [points]:
        if not isinstance(point, Mapping) or not _is_number(point.get("bpp")) or not point["bpp"] > 0:
            raise CorruptStream(f"curve '{name}' has a point without a rate above 0")
        out.append({key: value for key, value in point.items() if key == "settings" or _is_number(value)})
    return tuple(sorted(out, key=lambda point: point["bpp"]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
