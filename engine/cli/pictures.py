"""Pictures in and out of commands: any picture file, any codec's file, and never onto what was read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine import io, registry
from engine.cli.console import Console
from engine.codec import Codec, Ctx, Progressive
from engine.doctor import FIXES, mend, ordered
from engine.errors import CodecUnavailable, EngineError, UnknownFormat, Unsupported, UsageError
from engine.files import write_error
from engine.formats import Format, identify
from engine.image import Image, Meaning
from engine.importance import painted
from engine.jobs import cores
from engine.store import RunStore, open_store


@dataclass(frozen=True)
class Source:
    """A picture and the file that it came from: `codec` is the codec that decoded it."""

    image: Image
    data: bytes
    codec: str


def full_ctx() -> Ctx:
    """A context with every core: a command has the machine to itself."""
    return Ctx(threads=cores())


def usable(codec_id: str) -> Codec:
    """The codec with this id; `CodecUnavailable` with the reason if it cannot run here."""
    codec = registry.codec(codec_id)
    why = codec.available()
    if why is not None:
        raise CodecUnavailable(f"{codec.info.label} cannot run here: {why}")
    return codec


def format_of(path: Path, data: bytes) -> Format:
    """The format of a file's content; an `EngineError` names the file."""
    try:
        return identify(data)
    except EngineError as error:
        raise error.at(path) from error


def decode_file(path: Path, codec_id: str | None, ctx: Ctx, *, first: float | None = None) -> Source:
    """Decode a codec's file, told by its content unless `codec_id` names the codec; `first`: that share of it alone."""
    data = io.read_bytes(path)
    try:
        wanted = codec_id or codec_of(data)
        codec = usable(wanted)
        if first is None:
            return Source(codec.decode(data, ctx), data, wanted)
        if not isinstance(codec, Progressive):
            raise Unsupported(f"the files of {codec.info.label} do not begin with a coarser picture")
        data = data[: max(1, round(first * len(data)))]
        return Source(codec.decode_beginning(data, ctx), data, wanted)
    except EngineError as error:
        raise error.at(path) from error


def codec_of(data: bytes) -> str:
    """The id of the codec whose file this is, by its content; an `EngineError` says why that cannot be told."""
    try:
        form = identify(data)
    except UnknownFormat as error:
        raise UnknownFormat(
            error.message, hint="--codec names the codec of a file that its content does not tell"
        ) from error
    if form.codec is None:
        raise UsageError(f"is a {form.name} picture, which no codec here decodes")
    return form.codec


def read_picture(
    path: Path, console: Console, ctx: Ctx, fixes: Sequence[str] = (), meaning: Meaning | None = None
) -> Image:
    """A picture from any file: our own streams by their codec, everything else by the picture readers.

    fixes: of the doctor, by name, that are applied to a picture of light. meaning: what its channels stand for, None
    for what its name and samples say.
    """
    if format_of(path, io.read_bytes(path)).ours:
        return decode_file(path, None, ctx).image
    loaded = io.read(path, ctx, meaning=meaning)
    for note in loaded.notes:
        console.note(f"{path}: {note}")
    if fixes and loaded.image.is_float:
        console.note(f"{path}: {'; '.join(FIXES[name].done for name in fixes)}")
    return mend(loaded.image, fixes)


def add_kind(parser: argparse.ArgumentParser) -> None:
    words = "what the channels stand for (default: as the name says, see docs/bakes.md, else the samples)"
    parser.add_argument("--kind", choices=tuple(Meaning), help=words)


def kind_of(args: argparse.Namespace) -> Meaning | None:
    """What --kind says."""
    return Meaning(args.kind) if args.kind else None


def add_fix(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(FIXES)
    parser.add_argument("--fix", metavar="A,B", default="", help=f"mend light before anything else: {names} (see info)")


def fixes_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The fixes that --fix names, in the order in which they are applied; `UsageError` for one that is unknown."""
    return ordered(name.strip() for name in args.fix.split(",") if name.strip())


def add_roi(parser: argparse.ArgumentParser) -> None:
    words = "a painted mask of the picture's size: white is important, mid-grey neutral, black least (docs/roi.md)"
    parser.add_argument("--roi", metavar="MASK", type=Path, help=words)


def with_roi(image: Image, mask: Path | None, ctx: Ctx) -> Image:
    """`image` with the region that a mask file paints; an `EngineError` names the mask."""
    if mask is None:
        return image
    try:
        return replace(image, importance=painted(image, io.read(mask, ctx).image))
    except EngineError as error:
        raise error.at(mask) from error


def refuse_same(source: Path, target: Path) -> None:
    """`UsageError` if writing `target` would replace `source`, also through a link."""
    try:
        same = target.exists() and source.exists() and target.samefile(source)
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise write_error(error, target) from error
    if same:
        raise UsageError("would be written onto an input; name another file", path=target)


def require_suffix(path: Path, suffixes: Sequence[str], what: str) -> None:
    if path.suffix.lower() not in suffixes:
        formats, ends = " or ".join(suffix[1:].upper() for suffix in suffixes), " or ".join(suffixes)
        raise UsageError(f"{what} is written as {formats}; let the name end in {ends}", path=path)


def add_in_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN", type=Path)
    parser.add_argument("target", metavar="OUT", type=Path)


def add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="DIR", type=Path, help="where results are kept (default: the user's cache)")


def told_store(folder: Path | None, console: Console) -> RunStore:
    """The store of results; what happened to it is told as notes."""
    store = open_store(folder)
    for note in store.notes:
        console.note(note)
    return store
