"""The work that the scheduler sends to worker processes: small picklable values with a `run(ctx)`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import registry
from engine.bit_map import BitMap, folded
from engine.codec import Codec, Ctx, Mapped, Progressive, Settings
from engine.errors import Unsupported
from engine.files import FileMark, atomic_write
from engine.image import Image, Meaning
from engine.knob import Knob
from engine.memory import decode_estimate, encode_estimate, metric_estimate
from engine.metrics import metric
from engine.rate import solve
from engine.store import Blobs
from engine.trial import RateResult, Run, Runner, Target, Trial, db_metric
from engine.workers import TaskCtx

if TYPE_CHECKING:
    from engine.chart import Chart
    from engine.io import Loaded

EARLY_PIXELS = 2_000_000  # beyond, a decoded picture is shown before all of its scores are there
BEGINNING = 8  # the part of a file that is decoded first, one in so many
_LADDER_ENDS = (0.05, 0.95)  # of a knob's range: beyond lies what nobody uses


@dataclass(frozen=True)
class LoadTask:
    """Reads a picture from a file. fixes: of `engine.doctor`, by name, which are applied to it.

    meaning: what its channels stand for, where a person said so.
    """

    path: Path
    fixes: tuple[str, ...] = ()
    meaning: Meaning | None = None

    @property
    def what(self) -> str:
        return f"the reader of {self.path.name}"

    def run(self, ctx: TaskCtx) -> Loaded:
        from engine.doctor import mend
        from engine.io import read

        loaded = read(self.path, ctx, meaning=self.meaning)
        return replace(loaded, image=mend(loaded.image, self.fixes)) if self.fixes else loaded


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """What a list says of a picture. pixels: h×w×3 u8 sRGB. size: width, height of the picture itself."""

    pixels: np.ndarray
    size: tuple[int, int]
    bits: int
    colour: str
    notes: tuple[str, ...]
    format: str
    file: FileMark
    data: Meaning | None


@dataclass(frozen=True)
class ThumbnailTask:
    """Reads a picture and gives back a small one, `side` pixels at most, with what it is."""

    path: Path
    side: int = 128
    meaning: Meaning | None = None

    @property
    def what(self) -> str:
        return f"the reader of {self.path.name}"

    def run(self, ctx: TaskCtx) -> Thumbnail:
        from engine.display import to_display
        from engine.film import auto_exposure
        from engine.io import read
        from engine.tone import Tone

        loaded = read(self.path, ctx, meaning=self.meaning)
        image = loaded.image
        tone = Tone(exposure=auto_exposure(image) if image.is_float else 0.0)
        shown = shrink(to_display(image, tone=tone), self.side)
        size = (image.width, image.height)
        what = (image.bits, str(image.color), loaded.notes, loaded.format, loaded.file, image.data)
        return Thumbnail(shown, size, *what)


def shrink(rgb: np.ndarray, side: int) -> np.ndarray:
    """H×W×3 u8 made to fit `side` × `side` by area averaging; as it is where it fits."""
    from PIL import Image as Pillow

    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Pillow.fromarray(rgb).resize(size, Pillow.Resampling.BOX))


@dataclass(frozen=True)
class _CodecTask:
    """What tasks around one codec and one picture share.

    settings: those of the codec, partial or complete. metrics: ids of the scores wanted.
    known: trials of before, of which those that fit are used. blobs: the store's folder of files, where
    the file of a known trial may lie.
    """

    image: Image
    codec_id: str
    settings: Settings = field(default_factory=dict)
    metrics: tuple[str, ...] = ("psnr",)
    known: tuple[Trial, ...] = ()
    blobs: Path | None = None

    @property
    def what(self) -> str:
        return f"the {self.codec_id} codec"

    @property
    def codec(self) -> Codec:
        return registry.codec(self.codec_id)

    @property
    def memory(self) -> int:
        """Bytes that it may take at its peak: an encode and decode, or the scores."""
        infos = [metric(each).info for each in self.metrics]
        return max(encode_estimate(self.codec.info, self.image), metric_estimate(infos, self.image))

    def file(self, name: str) -> bytes | None:
        """A file of the store by its hash, if it is kept."""
        return Blobs(self.blobs).get(name) if self.blobs is not None else None

    def keep(self, run: Run, ctx: TaskCtx) -> None:
        """Emit a new trial; its file goes into the store's folder, so that later scores need no second encode."""
        self.keep_file(run.data)
        ctx.emit(run.trial)

    def keep_file(self, data: bytes) -> None:
        if self.blobs is not None:
            with contextlib.suppress(OSError):  # what cannot be kept can be encoded again
                Blobs(self.blobs).put(data)

    def trial_at(self, runner: Runner, settings: Settings, ctx: Ctx) -> Run:
        """The run at `settings`, scored: from its stored file if there is one, else encoded."""
        return runner.finish(self.encoded(runner, settings, ctx), self.metrics, ctx)

    def encoded(self, runner: Runner, settings: Settings, ctx: Ctx) -> Run:
        """The run at `settings`, not decoded: from its stored file if there is one, else encoded."""
        key = runner.key(settings)
        old = next((trial for trial in self.known if trial.key == key), None)
        data = self.file(old.blob) if old is not None and old.blob else None
        return Run(old, data) if old is not None and data is not None else runner.encode(settings, ctx)


@dataclass(frozen=True)
class Solved:
    """A picture compressed to a target. decoded: from the file itself. notes: what the codec could not carry."""

    result: RateResult
    decoded: Image
    notes: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The file."""
        return self.result.data


@dataclass(frozen=True)
class Beginning:
    """What the first part of the answer's file decodes to: a coarser picture, shown until the whole is decoded."""

    decoded: Image


@dataclass(frozen=True)
class SolveTask(_CodecTask):
    """Compresses a picture to a target, or at its settings as they are where there is none.

    Emits every new trial; the last one emitted is the answer with its scores. Probes for a rate are not decoded.
    Of a large picture, whose scores take seconds, the decoded one is emitted first: a `Solved` with its score in dB;
    and before that a `Beginning`, where the codec's files have one.

    answer: what an earlier search came to, which is taken as it is if its file is kept still.
    """

    target: Target | None = None
    answer: RateResult | None = None

    def run(self, ctx: TaskCtx) -> Solved:
        runner = Runner(self.codec, self.image)
        if self.target is None:
            run = self.trial_at(runner, self.settings, ctx)
            result = RateResult(run.trial, (run.trial,), True, 1, data=run.data)
        else:
            result = self._solve(runner, self.target, ctx)
            large = self.image.width * self.image.height > EARLY_PIXELS
            if large and isinstance(self.codec, Progressive):
                first = result.data[: len(result.data) // BEGINNING]
                ctx.emit(Beginning(runner.restored(self.codec.decode_beginning(first, ctx))))
            run = runner.decode(Run(result.best, result.data), ctx)
            if large and run.decoded is not None:
                run = runner.score(run, (db_metric(self.image),), ctx)
                assert run.decoded is not None
                ctx.emit(Solved(replace(result, best=run.trial), run.decoded, (*runner.notes, *run.trial.warnings)))
            run = runner.score(run, self.metrics, ctx)
            result = replace(result, best=run.trial)
        ctx.emit(run.trial)
        assert run.decoded is not None
        return Solved(result, run.decoded, (*runner.notes, *run.trial.warnings))

    def _solve(self, runner: Runner, target: Target, ctx: TaskCtx) -> RateResult:
        data = self.file(self.answer.best.blob) if self.answer is not None and self.answer.best.blob else None
        if self.answer is not None and data is not None:
            return replace(self.answer, data=data)
        return solve(
            runner,
            target,
            ctx,
            settings=self.settings,
            known=self.known,
            blob=self.file,
            on_trial=lambda run: self.keep(run, ctx),
        )


@dataclass(frozen=True)
class CurveTask(_CodecTask):
    """Runs a codec at several settings of its RATE parameter: `points` of them over its range, or these values.

    Emits and returns scored trials, in an order that shows the shape of the curve early. What is known
    with all its scores is not run again.
    """

    points: int | tuple[Any, ...] = 8

    def run(self, ctx: TaskCtx) -> tuple[Trial, ...]:
        runner = Runner(self.codec, self.image)
        settings = spread(ladder(self.codec, self.settings, self.points))
        trials = []
        for index, each in enumerate(settings):
            ctx.check()
            trials.append(self._trial(runner, each, ctx))
            ctx.progress((index + 1) / len(settings))
        return tuple(trials)

    def _trial(self, runner: Runner, settings: Settings, ctx: TaskCtx) -> Trial:
        key = runner.key(settings)
        for trial in self.known:
            if trial.key == key and set(self.metrics) <= set(trial.scores):
                ctx.emit(trial)
                return trial
        run = self.trial_at(runner, settings, ctx)
        self.keep(run, ctx)
        return run.trial


@dataclass(frozen=True)
class TargetsTask(_CodecTask):
    """Compresses a picture to several targets, one after another; emits and returns scored results.

    What is known with all its scores is neither run nor decoded again.
    """

    targets: tuple[Target, ...] = ()

    def run(self, ctx: TaskCtx) -> tuple[RateResult, ...]:
        runner = Runner(self.codec, self.image)
        known = list(self.known)
        results = []
        for index, target in enumerate(self.targets):
            result = solve(runner, target, ctx, settings=self.settings, known=known, want_file=False, thorough=True)
            if not set(self.metrics) <= set(result.best.scores):
                result = self._scored(runner, result, ctx)
            results.append(result)
            known += [*result.probes, result.best]
            ctx.emit(result)
            ctx.progress((index + 1) / len(self.targets))
        return tuple(results)

    def _scored(self, runner: Runner, result: RateResult, ctx: TaskCtx) -> RateResult:
        best = result.best
        if result.data:
            run = runner.finish(Run(best, result.data), self.metrics, ctx)
        else:
            run = self.trial_at(runner, best.settings, ctx)
        self.keep_file(run.data)
        return replace(result, best=run.trial, data=run.data)


@dataclass(frozen=True)
class MapTask:
    """The error map of `img` against `ref`: H×W f32, larger is worse."""

    ref: Image
    img: Image
    metric_id: str

    @property
    def what(self) -> str:
        return f"the {self.metric_id} map"

    @property
    def memory(self) -> int:
        return metric_estimate((metric(self.metric_id).info,), self.ref)

    def run(self, ctx: TaskCtx) -> np.ndarray:
        from engine.metrics import error_map

        return error_map(self.ref, self.img, self.metric_id, ctx)


@dataclass(frozen=True)
class BitsTask:
    """Where the bits of a codec's file went. samples: of the picture, pixels × channels. planes: how many lie one under
    the other in it (`engine.channels`); what each cost is added up."""

    codec_id: str
    data: bytes
    samples: int
    planes: int = 1

    @property
    def what(self) -> str:
        return f"the bits of the {self.codec_id} file"

    @property
    def memory(self) -> int:
        return decode_estimate(registry.codec(self.codec_id).info, self.samples)

    def run(self, ctx: TaskCtx) -> BitMap:
        codec = registry.codec(self.codec_id)
        if not isinstance(codec, Mapped):
            raise Unsupported(f"{codec.info.label} cannot tell where its bits went")
        found = codec.bit_map(self.data, ctx)
        return found if self.planes == 1 else folded(found, self.planes)


@dataclass(frozen=True)
class ChartTask:
    """Draws a chart into a file, in the form that its suffix names."""

    chart: Chart
    path: Path

    @property
    def what(self) -> str:
        return f"the drawing of {self.path.name}"

    def run(self, ctx: TaskCtx) -> None:
        from engine.chart import render

        ctx.check()
        atomic_write(self.path, render(self.chart, self.path.suffix.lower().lstrip(".")))


@dataclass(frozen=True)
class MeasureTimesTask(_CodecTask):
    """Times encode and decode at `settings`: medians of `repeats` runs after one that is dropped.

    For the timing lane, where nothing else runs. Returns the trial with these times.
    """

    repeats: int = 5

    def run(self, ctx: TaskCtx) -> Trial:
        runner = Runner(self.codec, self.image)
        trials: list[Trial] = []
        for index in range(self.repeats + 1):
            trials.append(runner.finish(runner.encode(self.settings, ctx), (), ctx).trial)
            ctx.progress((index + 1) / (self.repeats + 1))
        counted = trials[1:]
        return replace(
            trials[0],
            encode_s=median(trial.encode_s or 0.0 for trial in counted),
            decode_s=median(trial.decode_s or 0.0 for trial in counted),
            busy=any(trial.busy for trial in counted),
        )


def ladder(codec: Codec, settings: Settings, points: int | Iterable[Any]) -> list[dict[str, Any]]:
    """Complete settings along the RATE parameter, from few bits to many; one, if the codec has a single rate."""
    base = codec.info.complete(settings)
    param = codec.info.rate_param
    if param is None:
        return [base]
    if isinstance(points, int):
        knob = Knob(param)
        low, high = _LADDER_ENDS
        positions = [low + (high - low) * i / max(1, points - 1) for i in range(points)]
        points = [knob.even(position) for position in positions]
    values = list(dict.fromkeys(param.coerce(value) for value in points))
    return [{**base, param.name: value} for value in values]


def spread(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same items: both ends first, then the middle of what is left, and so on."""
    if len(items) < 3:
        return items
    order, gaps = [0, len(items) - 1], [(0, len(items) - 1)]
    for low, high in gaps:  # grows while it is walked
        middle = (low + high) // 2
        if middle != low:
            order.append(middle)
            gaps += [(low, middle), (middle, high)]
    return [items[index] for index in order]
