"""A codec that is two command lines in a TOML file: any program becomes a row of the comparison.

The programs run without a shell, each in a process group and a private folder of its own; they are stopped, with all
that they started, when the work is cancelled, takes too long, or writes more than a picture can need.
`docs/command-codecs.md` is the format's documentation.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import memory
from engine.bit_map import BitMap
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Mapped, Param, Role, Settings
from engine.codecs import jpeg_bits
from engine.codecs.checks import require_carried
from engine.codecs.process import Stopped, run
from engine.errors import CodecFailed, CorruptStream, EngineError, LimitExceeded, UsageError
from engine.image import Image
from engine.io import png_bytes, read
from engine.io.netpbm import netpbm_bytes
from engine.plugins import check_id

_INPUTS = ("png", "ppm")
_JPEG_SUFFIXES = (".jpg", ".jpeg")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SLACK = 16 << 20  # bytes that any encoder may write whatever the size of the picture


@dataclass(frozen=True)
class Key:
    """One key of the file: its type as TOML has it, in words and as types, and its default."""

    noun: str
    kinds: tuple[type, ...]
    default: Any = None
    required: bool = False


_TEXT, _NUMBER, _BOOL = ("text", (str,)), ("a number", (int, float)), ("true or false", (bool,))
KEYS: dict[str, Key] = {
    "id": Key(*_TEXT, required=True),
    "encode": Key(*_TEXT, required=True),
    "decode": Key(*_TEXT, required=True),
    "label": Key(*_TEXT),
    "suffix": Key(*_TEXT, ".bin"),
    "input": Key(*_TEXT, "png"),
    "output": Key(*_TEXT, "png"),
    "lo": Key(*_NUMBER),
    "hi": Key(*_NUMBER),
    "default": Key(*_NUMBER),
    "integer": Key(*_BOOL, False),
    "better": Key("1 or -1", (int,), 1),
    "log": Key(*_BOOL, False),
    "alpha": Key(*_BOOL, False),
    "gray": Key(*_BOOL, True),
    "depths": Key("a list of 8 and 16", (list,), [8]),
    "timeout_s": Key(*_NUMBER, 60),
}


@dataclass(eq=False)
class CommandCodec:
    """A codec made of an encode and a decode command line.

    encode, decode: argument vectors that still hold their placeholders. source: the TOML file.
    """

    info: CodecInfo
    encode_words: tuple[str, ...]
    decode_words: tuple[str, ...]
    input: str
    output: str
    timeout_s: float
    source: Path
    digest: str

    @classmethod
    def from_file(cls, path: Path) -> CommandCodec:
        """The codec that a TOML file describes; `UsageError` names the file, the key and what is wrong with it."""
        try:
            content = path.read_bytes()
            digest = hashlib.blake2b(content, digest_size=8).hexdigest()
            return _build(tomllib.loads(content.decode()), path.resolve(), digest)
        except EngineError as error:
            raise error.at(path) from error.__cause__
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"is not valid TOML: {error}", path=path) from error
        except OSError as error:
            raise UsageError(f"could not be read: {error.strerror}", path=path) from error

    def available(self) -> str | None:
        for words in (self.encode_words, self.decode_words):
            program = self._filled(words[:1], {})[0]
            if shutil.which(program) is None:
                where = "does not exist or cannot be run" if "/" in program else "is not on the PATH"
                return f"the program '{program}' {where}: install it, or name its full path in {self.source}"
        return None

    def version(self) -> str:
        """A digest of the TOML file and of every file that the command lines name (path, size, time of change)."""
        digest = hashlib.blake2b(self.digest.encode(), digest_size=8)
        for word in self._filled((*self.encode_words, *self.decode_words), {}):
            found = shutil.which(word) or word
            if Path(found).is_file():
                status = Path(found).stat()
                digest.update(f"{found}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        return f"{self.source.name} {digest.hexdigest()}"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        with _private_folder(self.info) as folder:
            source = folder / ("in.pgm" if self.input == "ppm" and image.is_gray else f"in.{self.input}")
            source.write_bytes(png_bytes(image) if self.input == "png" else netpbm_bytes(image))
            target = folder / f"out{self.info.extension}"
            words = {"in": str(source), "out": str(target), "q": _number_text(chosen.get("q"))}
            limit = 4 * image.pixels.nbytes + _SLACK
            try:
                seconds = run(self._filled(self.encode_words, words), folder, self.timeout_s, limit, ctx)
            except Stopped as stopped:
                hint = self._hint(stopped)
                raise CodecFailed(f"{self.info.label} could not encode: {stopped}", hint=hint) from stopped
            data = target.read_bytes() if target.is_file() else b""
        if not data:
            raise CodecFailed(f"{self.info.label}: the encoder ended well but wrote nothing to {{out}}")
        return Encoded(data, {"program_s": round(seconds, 4)}, self.bit_map if isinstance(self, Mapped) else None)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        with _private_folder(self.info) as folder:
            source, target = folder / f"in{self.info.extension}", folder / f"out.{self.output}"
            source.write_bytes(data)
            words = {"in": str(source), "out": str(target)}
            try:
                run(self._filled(self.decode_words, words), folder, self.timeout_s, memory.limit(), ctx)
            except Stopped as stopped:
                kind = CodecFailed if stopped.by_us else CorruptStream
                raise kind(f"{self.info.label} could not decode: {stopped}", hint=self._hint(stopped)) from stopped
            if not target.is_file():
                raise CorruptStream(f"{self.info.label}: the decoder ended well but wrote nothing to {{out}}")
            try:
                return read(target, ctx).image
            except LimitExceeded:
                raise
            except EngineError as error:
                message = f"{self.info.label}: the decoder's picture is of no use: {error.message}"
                raise CorruptStream(message) from error

    def _filled(self, words: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
        known = {"dir": str(self.source.parent), **values}
        return [_PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), word) for word in words]

    def _hint(self, stopped: Stopped) -> str:
        return f"set timeout_s in {self.source}" if stopped.timed_out else ""


class JpegCommandCodec(CommandCodec):
    """One whose files are JPEGs by their suffix: where their bits went can be read from any."""

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        return jpeg_bits.bit_map(data, self.info, ctx)


@contextmanager
def _private_folder(info: CodecInfo) -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="ratescope-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodecFailed(f"{info.label}: the temporary folder cannot be used: {reason}") from error


def _number_text(value: float | int | None) -> str:
    """A number as programs read it: no exponent for everyday values, no digits that are noise."""
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.10g}"


# --- From the file to the codec -----------------------------------------------------------------


def _build(table: dict[str, Any], path: Path, digest: str) -> CommandCodec:
    values = _checked(table)
    encode = _words(values["encode"], "encode", required={"in", "out"}, allowed={"in", "out", "q", "dir"})
    decode = _words(values["decode"], "decode", required={"in", "out"}, allowed={"in", "out", "dir"})
    for name in ("input", "output"):
        if values[name] not in _INPUTS:
            raise UsageError(f"{name} = {values[name]!r}: allowed is {' or '.join(_INPUTS)}")
    if values["alpha"] and "ppm" in (values["input"], values["output"]):
        raise UsageError("alpha = true: ppm files carry no alpha, use png for input and output")
    if not re.fullmatch(r"\.[A-Za-z0-9_.-]+", values["suffix"]):
        raise UsageError(f"suffix = {values['suffix']!r}: write it as '.jpg'")
    if not values["timeout_s"] > 0:
        raise UsageError(f"timeout_s = {values['timeout_s']!r}: must be above 0")
    depths = values["depths"]
    if not depths or any(depth not in (8, 16) for depth in depths):
        raise UsageError(f"depths = {depths!r}: allowed are 8 and 16")
    info = CodecInfo(
        id=check_id(values["id"]),
        label=values["label"] or values["id"],
        family="command",
        extension=values["suffix"],
        params=_params(values, "q" in _names(encode)),
        capabilities=Capabilities(
            alpha=values["alpha"], depths=tuple(sorted(set(depths))), gray=values["gray"], wide_gamut=False
        ),
        about=f"Command codec of {path}.",
    )
    kind = JpegCommandCodec if values["suffix"].lower() in _JPEG_SUFFIXES else CommandCodec
    return kind(info, encode, decode, values["input"], values["output"], float(values["timeout_s"]), path, digest)


def _checked(table: dict[str, Any]) -> dict[str, Any]:
    """Every key with the right type, defaults filled in."""
    for name, value in table.items():
        if name not in KEYS:
            raise UsageError(f"unknown key '{name}'; known are {', '.join(KEYS)}")
        kinds = KEYS[name].kinds
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):  # TOML's true is no 1
            raise UsageError(f"{name} = {value!r}: must be {KEYS[name].noun}")
    missing = [name for name, key in KEYS.items() if key.required and name not in table]
    if missing:
        raise UsageError(f"the key '{missing[0]}' is missing")
    return {name: table.get(name, key.default) for name, key in KEYS.items()}


def _words(line: str, key: str, *, required: set[str], allowed: set[str]) -> tuple[str, ...]:
    """The command line as words, split as a shell would but never run by one, its placeholders checked."""
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"{key} = {line!r}: {str(error).lower()}") from error
    if not words:
        raise UsageError(f"{key} is empty")
    names = _names(words)
    if unknown := sorted(names - allowed):
        raise UsageError(f"{key} = {line!r}: unknown placeholder {{{unknown[0]}}}")
    if absent := sorted(required - names):
        raise UsageError(f"{key} = {line!r}: the placeholder {{{absent[0]}}} is missing")
    return words


def _names(words: tuple[str, ...]) -> set[str]:
    return {name for word in words for name in _PLACEHOLDER.findall(word)}


def _params(values: dict[str, Any], turns: bool) -> tuple[Param, ...]:
    """The rate knob, if the encode line has {q}."""
    lo, hi, default = values["lo"], values["hi"], values["default"]
    if not turns:
        if (lo, hi, default) != (None, None, None):
            raise UsageError("lo, hi and default need a {q} in encode")
        return ()
    if lo is None or hi is None:
        raise UsageError(f"encode has {{q}}: the key '{'lo' if lo is None else 'hi'}' is missing")
    kind, number = (Kind.INT, round) if values["integer"] else (Kind.FLOAT, float)
    start = number((lo + hi) / 2 if default is None else default)
    if not lo < hi or not lo <= start <= hi:
        raise UsageError(f"lo = {lo:g}, default = {start:g}, hi = {hi:g}: they must rise in this order")
    if values["better"] not in (1, -1):
        raise UsageError(f"better = {values['better']}: 1 if larger values spend more bits, -1 if smaller ones do")
    if values["log"] and lo <= 0:
        raise UsageError(f"log = true needs lo above 0, it is {lo:g}")
    return (Param("q", kind, start, lo, hi, role=Role.RATE, better=values["better"], log=values["log"], label="{q}"),)
