"""The codec protocol: what a codec says of itself, its knobs, and what encode and decode exchange."""

from __future__ import annotations

import enum
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from engine.bit_map import BitMap
from engine.errors import Cancelled, UsageError
from engine.image import Image

Settings = Mapping[str, Any]


class Role(enum.StrEnum):
    RATE = "rate"  # moves along the rate-distortion curve; the rate search turns this one
    EFFORT = "effort"  # trades time for the same curve
    TOOL = "tool"  # selects another curve


class Kind(enum.StrEnum):
    FLOAT = "float"
    INT = "int"
    CHOICE = "choice"
    BOOL = "bool"


@dataclass(frozen=True)
class Param:
    """One knob of a codec. Forms, command-line flags and the rate search are made from it.

    better: +1 when a larger value spends more bits, -1 when a smaller one does, 0 when neither.
    log: the knob is best moved in equal ratios (a quantisation step), not equal differences.
    typical_bpp: bits per pixel that photographs take on average (geometric) at evenly spaced values of the knob
        (in equal ratios if `log`), from fewest bits to most: a hint that saves the rate search encodes. Only its
        shape counts, so a few pictures suffice to measure it.
    on_light: the value that light in floats is coded with whatever is chosen; None where the choice counts.
    """

    name: str
    kind: Kind
    default: Any
    lo: float | None = None
    hi: float | None = None
    choices: tuple[str, ...] = ()
    role: Role = Role.TOOL
    better: int = 0
    log: bool = False
    label: str = ""
    help: str = ""
    typical_bpp: tuple[float, ...] = ()
    on_light: Any = None

    def coerce(self, value: Any) -> Any:
        """`value` (also as text) as this knob's type; `UsageError` says what is allowed."""
        try:
            return _COERCE[self.kind](self, value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{self.name} = {value!r}: allowed is {self.allowed()}") from error

    def allowed(self) -> str:
        if self.kind is Kind.CHOICE:
            return ", ".join(self.choices)
        if self.kind is Kind.BOOL:
            return "true or false"
        noun = "a whole number" if self.kind is Kind.INT else "a number"
        return f"{noun} from {self.lo:g} to {self.hi:g}" if self.lo is not None and self.hi is not None else noun

    def to_json(self) -> dict[str, Any]:
        out = {k: getattr(self, k) for k in ("name", "default", "lo", "hi", "better", "log", "label", "help")}
        return {**out, "kind": str(self.kind), "role": str(self.role), "choices": list(self.choices)}


def _number(param: Param, value: Any) -> float:
    number = float(value)
    lo, hi = (-math.inf if param.lo is None else param.lo), (math.inf if param.hi is None else param.hi)
    if isinstance(value, bool) or not lo <= number <= hi:
        raise ValueError(value)
    return number


def _integer(param: Param, value: Any) -> int:
    number = _number(param, value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _choice(param: Param, value: Any) -> str:
    if str(value) not in param.choices:
        raise ValueError(value)
    return str(value)


_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _bool(_param: Param, value: Any) -> bool:
    word = str(value).lower()
    if word not in _WORDS:
        raise ValueError(value)
    return _WORDS[word]


_COERCE: dict[Kind, Callable[[Param, Any], Any]] = {
    Kind.FLOAT: _number,
    Kind.INT: _integer,
    Kind.CHOICE: _choice,
    Kind.BOOL: _bool,
}


@dataclass(frozen=True)
class Capabilities:
    """What a codec carries without loss of meaning.

    depths: sample depths it can code (8, 10, 12, 16; 32 is float). memory: peak working memory of
    an encode or decode, in bytes per sample (pixel × channel), measured, for the estimate before the work.
    wide_gamut: the file says what its colours are; without that, every viewer takes them as sRGB.
    light: how floats are coded, as the end of a sentence that begins with the codec's label; "" where they are not.
    regions: it spends its bits where a painted map says that they matter (`engine.importance`).
    """

    alpha: bool = False
    depths: tuple[int, ...] = (8,)
    gray: bool = True
    light: str = ""
    lossless: bool = False
    regions: bool = False
    wide_gamut: bool = True
    memory: float = 32.0
    max_side: int = 65_535

    @property
    def hdr(self) -> bool:
        """Whether light in floats is carried, at whatever precision."""
        return 32 in self.depths

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "depths": list(self.depths), "hdr": self.hdr}


@dataclass(frozen=True)
class CodecInfo:
    """Who a codec is. `family` is one of dct, wavelet, learned, predictive, texture, command."""

    id: str
    label: str
    family: str
    extension: str
    params: tuple[Param, ...] = ()
    capabilities: Capabilities = field(default_factory=Capabilities)
    about: str = ""

    @property
    def rate_param(self) -> Param | None:
        """The knob that the rate search turns, or None for a codec of one rate."""
        return next((p for p in self.params if p.role is Role.RATE), None)

    def param(self, name: str) -> Param:
        for param in self.params:
            if param.name == name:
                return param
        known = ", ".join(p.name for p in self.params) or "none"
        raise UsageError(f"{self.id} has no setting '{name}'; it has {known}")

    def defaults(self) -> dict[str, Any]:
        return {p.name: p.default for p in self.params}

    def complete(self, settings: Settings | None) -> dict[str, Any]:
        """Defaults overlaid with `settings`, each checked and of the right type, in parameter order."""
        given = {name: self.param(name).coerce(value) for name, value in (settings or {}).items()}
        return {**self.defaults(), **given}


class Forecast(Protocol):
    """What other values of the RATE setting would take, for a fraction of an encode each.

    It is made from what an encode has in memory, and makes no file. It may be off a little, alike at settings near each
    other: the rate search puts it right by what it measures.
    """

    def size(self, value: Any, ctx: Ctx) -> float:
        """Bytes of the file with this value, about."""
        ...


WARNING = "warning"  # among an encode's stats: what people should know of it, in a sentence


@dataclass(frozen=True)
class Encoded:
    """What an encoder gives back.

    data: the file, complete. stats: named figures for people and for tests (JSON values).
    mapped: the codec's `bit_map` if it has one. forecast: of the other values of the RATE setting, if it has one.
    """

    data: bytes
    stats: Mapping[str, Any] = field(default_factory=dict)
    mapped: Callable[[bytes, Ctx], BitMap] | None = field(default=None, repr=False, compare=False)
    forecast: Forecast | None = field(default=None, repr=False, compare=False)

    @property
    def bit_map(self) -> np.ndarray | None:
        """Bits spent per pixel, H×W f32, worked out from the file each time; None where the codec cannot tell."""
        return self.mapped(self.data, Ctx()).bits if self.mapped is not None else None


def _ignore(_fraction: float) -> None:
    pass


@dataclass(frozen=True)
class Ctx:
    """Goes through every long call: is the work still wanted, how far it is, how many threads it may use.

    busy: did other jobs of this program run since it was last asked; a time taken meanwhile is marked "~".
    """

    cancel: Callable[[], bool] = lambda: False
    progress: Callable[[float], None] = _ignore
    threads: int = 1
    busy: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """Raise `Cancelled` if the work is no longer wanted."""
        if self.cancel():
            raise Cancelled

    @staticmethod
    def cancelled_by(event: threading.Event, **rest: Any) -> Ctx:
        return Ctx(cancel=event.is_set, **rest)


@runtime_checkable
class Codec(Protocol):
    """A codec. Decode needs nothing but the bytes."""

    info: CodecInfo

    def available(self) -> str | None:
        """None when usable, else the reason, which a person can act on."""
        ...

    def version(self) -> str:
        """Everything that may change the bytes: our stream version, library name and version, model digest."""
        ...

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode `image`, which `carry.fit` has made to fit `info.capabilities`; `settings` may be partial."""
        ...

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream` for anything that is not a whole, valid stream."""
        ...


@runtime_checkable
class Modelled(Protocol):
    """A codec whose files depend on a model that is not chosen by its settings."""

    def model(self) -> str:
        """Where it runs and which model it is, in a few words; quick, loads nothing. "" if there is no model."""
        ...


@runtime_checkable
class Loading(Protocol):
    """A codec that loads much before its first picture; that is no part of the time of a picture."""

    def load(self) -> None:
        """Load it now, so that what follows takes as long as it will every time; quick when it has been done."""
        ...


@runtime_checkable
class Detailed(Protocol):
    """A codec that can say more of its files than what every file has."""

    def details(self, data: bytes, ctx: Ctx) -> dict[str, Any]:
        """Named figures of the file (JSON values); raises what `decode` raises."""
        ...


@dataclass(frozen=True)
class Prepared:
    """A picture of which what does not depend on the RATE parameter has been done.

    encode: what the codec's `encode` gives, the very file, by value of that parameter; raises what it raises.
    outlook: roughly what values would take, before any was tried.
    """

    encode: Callable[[Any], Encoded]
    outlook: Forecast | None = None


@runtime_checkable
class Preparing(Protocol):
    """A codec that can try many values of its RATE parameter on a picture for less than an encode each.

    The rate search then looks for its answer among tries.
    """

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """`image` made ready for any value of the RATE parameter, with `settings` otherwise. Raises what `encode`
        raises."""
        ...


@runtime_checkable
class Progressive(Protocol):
    """A codec whose files begin with a coarser picture."""

    def decode_beginning(self, data: bytes, ctx: Ctx) -> Image:
        """The picture that the first bytes of a file hold, of full size, the coarser the fewer they are.

        `CorruptStream` for damaged data, and where not even the header is there. Nothing vouches for the rest.
        """
        ...


@runtime_checkable
class Mapped(Protocol):
    """A codec that can tell where in the picture the bits of a file went.

    The file alone is asked, not the encoder: it costs nothing until somebody wants it, holds for files from
    anywhere, and cannot tell of other bits than those that are there (docs/adr/0006-bits-from-the-bytes.md).
    """

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """The map of a whole, valid stream, as `BitMap` describes it; about as long as `decode`, which it is without
        the pixels. Raises what `decode` raises."""
        ...
