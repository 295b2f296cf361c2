"""The codecs, in the order in which people meet them.

An explicit table: id -> "module:factory", imported only when that codec is asked for, so that a missing library
disables one row and `import engine` stays light. Imported checkpoints (engine/learned/published), command codecs
(TOML files in the user's folder and in those that the environment variable RATESCOPE_CODECS names) and plug-ins (entry
points in `ratescope.plugins`) follow. What is broken is listed all the same, as a codec that is unavailable for a
stated reason. A preset (engine/presets.py) is a codec under another name, with other defaults: it can be asked for, and
is not listed.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from engine.codec import Codec
from engine.codecs.unavailable import UnavailableCodec
from engine.errors import EngineError, UsageError
from engine.learned.published import weights as imported
from engine.plugins import plugins
from engine.presets import Preset, presets, with_defaults

BUILTIN: dict[str, str] = {
    "dct": "engine.codecs.dct:DctCodec",
    "dct-rans": "engine.codecs.dct_rans:DctRansCodec",
    "wavelet": "engine.codecs.wavelet:WaveletCodec",
    "hyperprior": "engine.codecs.hyperprior:HyperpriorCodec",
    "ae": "engine.codecs.autoencoders:AutoencoderCodec",
    "vae": "engine.codecs.autoencoders:VariationalCodec",
    "vqvae": "engine.codecs.autoencoders:VectorCodec",
    "factorized": "engine.codecs.learned_zoo:FactorizedCodec",
    "hyperprior-scale": "engine.codecs.learned_zoo:HyperpriorScaleCodec",
    "channelwise": "engine.codecs.learned_zoo:ChannelwiseCodec",
    "attention-gmm": "engine.codecs.learned_zoo:AttentionGmmCodec",
    "context-ar": "engine.codecs.learned_zoo:ContextArCodec",
    "gan": "engine.codecs.gan:GanCodec",
    "ratescope": "engine.codecs.learned_zoo:RatescopeCodec",
    "lightmap-ae": "engine.codecs.lightmap_ae:LightmapAeCodec",
    "lightmap-multiscale": "engine.codecs.lightmap_multiscale:LightmapMultiscaleCodec",
    "jpeg": "engine.codecs.jpeg:JpegCodec",
    "jpeg2000": "engine.codecs.jpeg2000:Jpeg2000Codec",
    "webp": "engine.codecs.webp:WebpCodec",
    "avif": "engine.codecs.avif:AvifCodec",
    "jxl": "engine.codecs.jxl:JxlCodec",
    "heic": "engine.codecs.heic:HeicCodec",
    "exr-dwa": "engine.codecs.exr_dwa:ExrDwaCodec",
    "bc6h": "engine.codecs.bc:Bc6hCodec",
    "bc7": "engine.codecs.bc:Bc7Codec",
    "astc": "engine.codecs.astc:AstcCodec",
    "rgbm": "engine.codecs.packed_light:RgbmCodec",
    "dldr": "engine.codecs.packed_light:DldrCodec",
    "rgbe": "engine.codecs.packed_light:RgbeCodec",
}
# What streams name and no list has: decoders of files whose codec has other names here.
DECODERS: dict[str, str] = {"compressai": "engine.codecs.checkpoints:decoder"}
FOLDERS_VARIABLE = "RATESCOPE_CODECS"

Stamp = tuple[tuple[Path, int, int], ...]


def codec_ids() -> list[str]:
    """Every codec's id, built-in rows first."""
    return [*BUILTIN, *_others()]


def codec(codec_id: str) -> Codec:
    """The codec with this id, or that of the preset with this id; `UsageError` lists the known codecs."""
    found = _listed(codec_id)
    if found is not None:
        return found
    preset = presets().by_id.get(codec_id)
    if preset is not None:
        base = _listed(preset.codec)
        if base is None:
            raise UsageError(f"preset {preset.id}: there is no codec '{preset.codec}'", path=preset.path)
        return with_defaults(preset, base)
    hint = "'ratescope presets' lists more names"
    raise UsageError(f"unknown codec '{codec_id}'; known are {', '.join(codec_ids())}", hint=hint)


def why_not(preset: Preset) -> str | None:
    """Why a preset cannot be used here, in words; None where it can."""
    if _listed(preset.id) is not None:
        return f"the name '{preset.id}' is a codec's"
    try:
        return codec(preset.id).available()
    except UsageError as error:
        return error.message


def _listed(codec_id: str) -> Codec | None:
    if codec_id in BUILTIN or codec_id in DECODERS:
        return _builtin(codec_id)
    return _others().get(codec_id)


def codecs() -> Iterator[Codec]:
    """Every codec in order, usable or not."""
    return (codec(codec_id) for codec_id in codec_ids())


def folders() -> list[Path]:
    """Where TOML files of command codecs are looked for: the user's own folder, then RATESCOPE_CODECS."""
    from platformdirs import user_config_path

    named = os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep)
    return [user_config_path("ratescope", appauthor=False) / "codecs", *(Path(name) for name in named if name)]


@cache
def _builtin(codec_id: str) -> Codec:
    module, factory = {**BUILTIN, **DECODERS}[codec_id].split(":")
    try:
        return getattr(importlib.import_module(module), factory)()
    except ImportError as error:
        return UnavailableCodec(codec_id, f"a library that it needs does not load: {error}")


def _others() -> dict[str, Codec]:
    return _load(_stamp(folders()), imported.stamp())


def _stamp(places: Iterable[Path]) -> Stamp:
    """The TOML files there, with what changes when they do: files that are added or edited count at once."""
    found = []
    for place in places:
        for path in sorted(place.glob("*.toml")):
            with contextlib.suppress(OSError):  # removed this very moment
                status = path.stat()
                found.append((path, status.st_mtime_ns, status.st_size))
    return tuple(found)


@lru_cache(maxsize=1)
def _load(stamp: Stamp, cards: Stamp) -> dict[str, Codec]:
    """Imported checkpoints, command codecs and plug-ins by id, in order. An id belongs to whoever has it first."""
    table: dict[str, Codec] = {}
    for codec_id, rungs in sorted(imported.ladders(cards).items()):
        _add(table, _checkpoint(codec_id, rungs), "an imported checkpoint")
    for path, _, _ in stamp:
        _add(table, _command(path), str(path))
    added = plugins()
    for extra in added.codecs:
        _add(table, extra, "a plug-in")
    for name, reason in added.problems.items():
        _add(table, UnavailableCodec(name, reason), name)
    return table


def _command(path: Path) -> Codec:
    from engine.codecs.command import CommandCodec

    try:
        return CommandCodec.from_file(path)
    except EngineError as error:
        return UnavailableCodec(path.stem, str(error), "command")


def _checkpoint(codec_id: str, rungs: tuple[imported.Imported, ...]) -> Codec:
    from engine.codecs.checkpoints import CheckpointCodec

    return CheckpointCodec(codec_id, rungs)


def _add(table: dict[str, Codec], new: Codec, origin: str) -> None:
    taken = new.info.id
    if taken not in BUILTIN and taken not in DECODERS and taken not in table:
        table[taken] = new
        return
    number = next(n for n in range(2, len(table) + 3) if f"{taken}-{n}" not in table)
    table[f"{taken}-{number}"] = UnavailableCodec(
        f"{taken}-{number}", f"{origin}: the id '{taken}' is taken by another codec", new.info.family
    )
