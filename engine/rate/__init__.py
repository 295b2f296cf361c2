"""Hit a target: the setting of a codec's RATE parameter that spends a given rate, or reaches a given quality.

Of a codec that prepares (`engine.codec.Preparing`) the search makes one encode: what depends on the value is done for
each that it tries, the rest once. Where such a codec forecasts (`engine.codec.Forecast`), few tries do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from engine.codec import Codec, Ctx, Param, Preparing, Settings
from engine.image import Image
from engine.knob import Knob
from engine.rate.search import search
from engine.rate.sparing import Tries
from engine.trial import RateResult, Run, Runner, Target, TargetKind, Trial, bits_per_pixel, canonical, db_metric


def solve_rate(
    codec: Codec,
    image: Image,
    target: Target,
    ctx: Ctx,
    *,
    settings: Settings | None = None,
    known: Iterable[Trial] = (),
    blob: Callable[[str], bytes | None] = lambda _name: None,
    on_trial: Callable[[Run], None] = lambda _run: None,
) -> RateResult:
    """The setting of `codec` that meets `target` on `image` most closely, never above a rate nor below a quality.

    settings: the other settings; a value of the RATE parameter among them is where the search begins.
    known: trials of before; those of the same picture, codec, version and other settings are used.
    blob: gives the file of a known trial by its hash, if it is kept; else it is encoded again.
    on_trial: called with each new run as it is made.
    `UsageError` for settings that make no sense; whatever the codec raises; `Cancelled`.
    """
    runner = Runner(codec, image)
    return solve(runner, target, ctx, settings=settings, known=known, blob=blob, on_trial=on_trial)


def solve(
    runner: Runner,
    target: Target,
    ctx: Ctx,
    *,
    settings: Settings | None = None,
    known: Iterable[Trial] = (),
    blob: Callable[[str], bytes | None] = lambda _name: None,
    on_trial: Callable[[Run], None] = lambda _run: None,
    want_file: bool = True,
    thorough: bool = False,
) -> RateResult:
    """:func:`solve_rate` with a runner at hand.

    Where points of the curve are known, at most `WARM_ENCODES` new ones are made as soon as one point is on the
    target's right side, however far off, and the result says how far. `thorough`: closeness goes before the number
    of encodes there too, as figures want it, not the hand on a slider. Without `want_file` a known answer may come
    without its file; with it, one that is kept no longer is encoded again.
    """
    info = runner.codec.info
    base = info.complete(settings)
    param = info.rate_param
    files: dict[str, bytes] = {}

    def evaluate(value: Any) -> Trial:
        ctx.check()
        run = runner.encode(base if param is None else {**base, param.name: value}, ctx)
        if target.kind is TargetKind.PSNR:
            run = runner.finish(run, (db_metric(runner.image),), ctx)
        ctx.progress(1 - 0.7 ** (len(files) + 1))
        return keep(run)

    def keep(run: Run) -> Trial:
        files[run.trial.key.settings] = run.data
        on_trial(run)
        return run.trial

    usable = _usable(known, runner, base, param)
    start = _start(param, base, target, runner.image) if param else None
    if param is not None and isinstance(runner.codec, Preparing):
        tries = Tries(runner, base, param, target, ctx)
        start = start if usable else tries.first(start)
        result = search(
            param,
            start,
            target,
            tries.trial,
            known=usable,
            label=info.label,
            thorough=True,
            foresee=tries.foresight,
        )
        if result.encodes:  # they were tries
            answer = tries.run(result.best)
            best = result.best if answer is None else keep(answer)
            result = replace(result, best=best, probes=(*usable, best), encodes=len(files))
    else:
        result = search(param, start, target, evaluate, known=usable, label=info.label, thorough=thorough)
    data = files.get(result.best.key.settings)
    if data is None and want_file:
        data = blob(result.best.blob) if result.best.blob else None
        if data is None:  # known from before, but its file is kept no longer
            best = evaluate(result.best.settings[param.name] if param else None)
            data = files[best.key.settings]
            result = replace(result, best=best, encodes=result.encodes + 1)
    return replace(result, data=data or b"", target=target)


def _start(param: Param, base: dict[str, Any], target: Target, image: Image) -> Any:
    """Where to begin: at the value that takes a typical picture to the target, else at the one that is set."""
    guess = None
    if target.kind is not TargetKind.PSNR and 0 < target.value < math.inf:
        size_bpp = bits_per_pixel(target.value, image)
        guess = Knob(param).first_guess(target.value if target.kind is TargetKind.BPP else size_bpp)
    return base[param.name] if guess is None else guess


def _usable(known: Iterable[Trial], runner: Runner, base: dict[str, Any], param: Param | None) -> list[Trial]:
    """Those of `known` that differ from `base` in nothing but the RATE parameter, one for each setting."""

    def others(settings: dict[str, Any]) -> str:
        return canonical({name: value for name, value in settings.items() if param is None or name != param.name})

    key, wanted = runner.key(base), others(base)
    found: dict[str, Trial] = {}
    for trial in known:
        same = (trial.key.image, trial.key.codec, trial.key.version) == (key.image, key.codec, key.version)
        if same and others(trial.settings) == wanted:
            old = found.get(trial.key.settings)
            if old is None or len(trial.scores) >= len(old.scores):
                found[trial.key.settings] = trial
    return list(found.values())
