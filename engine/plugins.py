"""Plug-ins: other people's codecs and metrics, found through entry points of the group `ratescope.plugins`.

An entry point names a function, `mine = "my_package:register"`; it is called once with an :class:`Api` and adds what
it has. A plug-in imports nothing of this program: the types that it needs hang on the `Api`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from engine import errors
from engine.codec import Capabilities, Codec, CodecInfo, Ctx, Encoded, Kind, Param, Role
from engine.color import ColorSpec
from engine.errors import UsageError
from engine.image import Alpha, Image
from engine.metric import Domain, Metric, MetricInfo

GROUP = "ratescope.plugins"
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def check_id(given: str) -> str:
    """`given` if it can be the id of a codec or metric, else `UsageError`."""
    if not isinstance(given, str) or not _ID.fullmatch(given):
        raise UsageError(
            f"id {given!r}: use lower-case letters, digits, '-', '_' and '.', starting with a letter or digit"
        )
    return given


class Api:
    """What a plug-in's `register(api)` gets: two verbs, and the types to build a codec or a metric with."""

    version = 1
    Alpha = Alpha
    Capabilities = Capabilities
    CodecInfo = CodecInfo
    ColorSpec = ColorSpec
    Ctx = Ctx
    Domain = Domain
    Encoded = Encoded
    Image = Image
    Kind = Kind
    MetricInfo = MetricInfo
    Param = Param
    Role = Role
    errors = errors

    def __init__(self) -> None:
        self.codecs: list[Codec] = []
        self.metrics: list[Metric] = []

    def add_codec(self, codec: Codec) -> None:
        """Add a codec: an object with `info`, `available`, `version`, `encode` and `decode`."""
        if not isinstance(codec, Codec):
            raise UsageError(f"{codec!r} is no codec: it needs info, available, version, encode and decode")
        check_id(codec.info.id)
        self.codecs.append(codec)

    def add_metric(self, metric: Metric) -> None:
        """Add a metric: an object with `info`, `score` and `map`."""
        if not isinstance(metric, Metric):
            raise UsageError(f"{metric!r} is no metric: it needs info, score and map")
        check_id(metric.info.id)
        self.metrics.append(metric)


@dataclass(frozen=True)
class Plugins:
    """Everything that plug-ins added; problems: plug-in -> why it was left out."""

    codecs: tuple[Codec, ...] = ()
    metrics: tuple[Metric, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)


@cache
def plugins() -> Plugins:
    """What the installed plug-ins add. One that fails adds nothing and is named in `problems`."""
    return gather(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def gather(points: list[EntryPoint]) -> Plugins:
    """Run every plug-in's `register`; it is theirs, so whatever it raises is their problem, not an end."""
    codecs: list[Codec] = []
    metrics: list[Metric] = []
    problems: dict[str, str] = {}
    for point in points:
        api = Api()
        try:
            point.load()(api)
        except Exception as error:
            problems[point.name] = f"plug-in {point.value}: {type(error).__name__}: {error}"
            continue
        codecs += api.codecs
        metrics += api.metrics
    return Plugins(tuple(codecs), tuple(metrics), problems)
