"""What was run, with what, and what came out: the records that store, plots, tables and exports share.

:class:`Runner` is the one place where a codec is run, so that every number has the same meaning: quality is
measured on what `decode` returns from the very bytes that count as the rate, against the original picture.
"""

from __future__ import annotations

import enum
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from engine.codec import WARNING, Codec, Ctx, Encoded, Forecast, Loading, Preparing, Settings
from engine.errors import CodecUnavailable
from engine.image import Image
from engine.passport import Passport

_T = TypeVar("_T")


def canonical(settings: Settings) -> str:
    """Settings as JSON with sorted keys: equal settings give equal text."""
    return json.dumps(dict(settings), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class EncodeKey:
    """What decides the bytes of an encode: picture digest, codec id, codec version, canonical settings."""

    image: str
    codec: str
    version: str
    settings: str


@dataclass(frozen=True)
class Trial:
    """One encode of one picture, and what is known of it so far.

    size: bytes of the file. bpp: 8·size/(H·W) of the original picture. blob: hash of the stored bytes.
    scores: metric id -> score of the decoded file against the picture; absent means not measured.
    encode_s, decode_s: seconds, None where never timed; busy: other jobs ran meanwhile (shown as "~").
    stats: the codec's named figures, and "vram_bytes": what the decoded picture takes in video memory.
    passport: what a fresh process of this machine made of the file; None where none was asked.
    """

    key: EncodeKey
    size: int
    bpp: float
    blob: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    encode_s: float | None = None
    decode_s: float | None = None
    busy: bool = False
    stats: Mapping[str, Any] = field(default_factory=dict)
    passport: Passport | None = None

    @property
    def settings(self) -> dict[str, Any]:
        return json.loads(self.key.settings)

    @property
    def vram_bpp(self) -> float | None:
        """Bits per pixel that the picture takes in video memory; None where that was not recorded."""
        size = self.stats.get("vram_bytes")
        return None if size is None else self.bpp * size / self.size

    @property
    def rates(self) -> dict[str, Any]:
        """Both rates by name, as tables and documents have them: on disk, and in video memory where that is known."""
        vram = self.vram_bpp
        return {"bpp": self.bpp} if vram is None else {"bpp": self.bpp, "vram_bpp": vram}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the encoder has to say of this encode."""
        said = self.stats.get(WARNING)
        return (str(said),) if said else ()

    @property
    def db(self) -> float | None:
        """The score that a target in dB means: PSNR, or log2-PSNR of a floating-point picture; None if not measured."""
        return next((self.scores[each] for each in DB_METRICS.values() if each in self.scores), None)


# The metric that a target in dB means, by whether the picture is a floating-point one; no picture has both scores.
DB_METRICS = {False: "psnr", True: "log2_psnr"}


def db_metric(image: Image) -> str:
    """The id of the metric that a target in dB means for this picture."""
    return DB_METRICS[image.is_float]


def db_metrics(image: Image) -> tuple[str, ...]:
    """That, and the same inside and outside of the region that is painted on the picture, if any."""
    whole = db_metric(image)
    return (whole,) if image.importance is None else (whole, f"{whole}_inside", f"{whole}_outside")


class TargetKind(enum.StrEnum):
    BPP = "bpp"
    BYTES = "bytes"
    PSNR = "psnr"


@dataclass(frozen=True)
class Target:
    """What the rate lock asks of every codec: at most so many bits or bytes, or at least so many dB."""

    kind: TargetKind
    value: float

    def __str__(self) -> str:
        if self.kind is TargetKind.BYTES:
            return f"{self.value:.0f} bytes"
        return f"{self.value:g} {'dB' if self.kind is TargetKind.PSNR else 'bpp'}"


@dataclass(frozen=True)
class RateResult:
    """The answer of a rate search.

    best: the trial that is closest to the target on its right side (never above a rate, never below a
        quality) when `reached`, else the nearest possible trial. probes: every trial made or recalled.
    encodes: how many new encodes it took. message: for people, when not reached or far off ("" otherwise).
    data: the file of `best`. target: what was asked for.
    """

    best: Trial
    probes: tuple[Trial, ...]
    reached: bool
    encodes: int
    message: str = ""
    data: bytes = b""
    target: Target | None = None


def blob_hash(data: bytes) -> str:
    """The name of a file by its content: hex BLAKE2b, 128 bit."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def bits_per_pixel(size: float, image: Image) -> float:
    """Rate of a file of `size` bytes: bits per pixel of the original picture, padding included."""
    return 8 * size / (image.width * image.height)


def plain_texture_bytes(image: Image) -> int:
    """What a picture takes in video memory that no texture codec coded: RGBA of 8 bits, of half floats beyond that."""
    return image.width * image.height * (4 if image.bits <= 8 else 8)


@dataclass(frozen=True)
class Run:
    """One encode with what it made: the trial, the file, the decoded picture if it was decoded, a forecast if any."""

    trial: Trial
    data: bytes
    decoded: Image | None = None
    forecast: Forecast | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class PreparedRuns:
    """Runs by value of a RATE parameter, each timed as a whole encode, and a rough forecast of them, if any."""

    run: Callable[[Any], Run]
    outlook: Forecast | None = None


class Runner:
    """Runs one codec on one picture. The picture is made to fit the codec once, `fitted`; `notes` say what that cost.

    `CodecUnavailable` if the codec cannot run here, `Unsupported` if it cannot carry the picture,
    `LimitExceeded` if an encode would need more memory than is allowed.
    """

    def __init__(self, codec: Codec, image: Image) -> None:
        from engine import carry, memory

        reason = codec.available()
        if reason is not None:
            raise CodecUnavailable(f"{codec.info.label} cannot be used: {reason}")
        memory.require(memory.encode_estimate(codec.info, image), f"{codec.info.label} on this picture")
        fitted = carry.fit(image, codec.info)
        self.codec, self.image, self.notes = codec, image, fitted.notes
        self.fitted = fitted.image
        self._version = codec.version()

    def key(self, settings: Settings | None) -> EncodeKey:
        """What names the encode with these settings, completed by the codec's defaults."""
        complete = self.codec.info.complete(settings)
        return EncodeKey(self.image.digest, self.codec.info.id, self._version, canonical(complete))

    def encode(self, settings: Settings | None, ctx: Ctx) -> Run:
        """Encode; neither decoded nor scored yet."""
        self._load()
        key = self.key(settings)
        return self._run(key, _timed(lambda: self.codec.encode(self.fitted, json.loads(key.settings), ctx), ctx))

    def prepare(self, settings: Settings | None, ctx: Ctx) -> PreparedRuns | None:
        """What runs values of the RATE parameter, each for less than an encode; None where that cannot be."""
        codec, param = self.codec, self.codec.info.rate_param
        if param is None or not isinstance(codec, Preparing):
            return None
        self._load()
        complete = codec.info.complete(settings)
        prepared, before, disturbed = _timed(lambda: codec.prepare(self.fitted, complete, ctx), ctx)

        def run(value: Any) -> Run:
            encoded, seconds, busy = _timed(lambda: prepared.encode(value), ctx)
            return self._run(self.key({**complete, param.name: value}), (encoded, before + seconds, disturbed or busy))

        return PreparedRuns(run, prepared.outlook)

    def _run(self, key: EncodeKey, made: tuple[Encoded, float, bool]) -> Run:
        encoded, seconds, busy = made
        size = len(encoded.data)
        trial = Trial(
            key,
            size,
            bits_per_pixel(size, self.image),
            blob_hash(encoded.data),
            encode_s=seconds,
            busy=busy,
            stats={"vram_bytes": plain_texture_bytes(self.image), **encoded.stats},
        )
        return Run(trial, encoded.data, forecast=encoded.forecast)

    def finish(self, run: Run, metrics: Iterable[str], ctx: Ctx) -> Run:
        """The same run decoded from its bytes and with its scores for `metrics`, those it has kept."""
        return self.score(self.decode(run, ctx), metrics, ctx)

    def decode(self, run: Run, ctx: Ctx) -> Run:
        """The same run decoded from its bytes, with the time that took."""
        self._load()
        decoded, seconds, busy = _timed(lambda: self.codec.decode(run.data, ctx), ctx)
        decoded = self.restored(decoded)
        return replace(run, trial=replace(run.trial, decode_s=seconds, busy=run.trial.busy or busy), decoded=decoded)

    def restored(self, decoded: Image) -> Image:
        """What the codec decoded, as the map of directions or masks that the picture is; any other as it is."""
        if self.image.data is None:
            return decoded
        from engine.channels import unstacked

        return replace(unstacked(decoded, self.image), data=self.image.data)

    def _load(self) -> None:
        """What the codec needs but once, outside the clock."""
        if isinstance(self.codec, Loading):
            self.codec.load()

    def score(self, run: Run, metrics: Iterable[str], ctx: Ctx) -> Run:
        """The same run, decoded before, with its scores for `metrics`, those it has kept."""
        from engine.metrics import scores

        assert run.decoded is not None
        wanted = [metric for metric in metrics if metric not in run.trial.scores]
        new = scores(self.image, run.decoded, wanted, ctx) if wanted else {}
        return replace(run, trial=replace(run.trial, scores={**run.trial.scores, **new}))


def run_trial(codec: Codec, image: Image, settings: Settings | None, metrics: Iterable[str], ctx: Ctx) -> Run:
    """Encode `image` once, decode the bytes, score the result against `image`."""
    runner = Runner(codec, image)
    return runner.finish(runner.encode(settings, ctx), metrics, ctx)


def _timed(work: Callable[[], _T], ctx: Ctx) -> tuple[_T, float, bool]:
    """What `work` returns, its seconds, and whether other jobs ran meanwhile."""
    ctx.check()
    ctx.busy()
    start = time.perf_counter()
    value = work()
    return value, time.perf_counter() - start, ctx.busy()
