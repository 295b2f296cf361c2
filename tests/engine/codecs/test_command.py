"""Command codecs: TOML files that turn a program into a codec."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from engine import carry
from engine.codec import Ctx, Kind, Mapped, Role
from engine.codecs import command, process
from engine.codecs.command import CommandCodec
from engine.errors import Cancelled, CodecFailed, CorruptStream, EngineError, Unsupported, UsageError
from engine.image import Alpha, Image

TOY = Path(__file__).with_name("toy_codec.py")
DOCS = Path(__file__).parents[3] / "docs" / "command-codecs.md"
CTX = Ctx()


def image(channels: int = 3, dtype: type = np.uint8) -> Image:
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (13, 17, channels), dtype=dtype)
    return Image(pixels, alpha=Alpha.STRAIGHT if channels in (2, 4) else Alpha.NONE)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with a private copy of the toy program."""
    shutil.copy(TOY, tmp_path)
    return tmp_path


def toy_line(words: str) -> str:
    """A command line of the toy program."""
    return f"'{sys.executable}' '{{dir}}/toy_codec.py' {words}"


def written(
    folder: Path, encode: str = "encode {in} {out} {q}", decode: str = "decode {in} {out}", **keys: str
) -> Path:
    """A TOML file around two command lines of the toy program; `keys` are TOML text that overrides what works."""
    return written_lines(folder, toy_line(encode), toy_line(decode), **keys)


def written_lines(folder: Path, encode: str, decode: str, **keys: str) -> Path:
    table = {
        "id": '"toy"',
        "encode": f'"""{encode}"""',
        "decode": f'"""{decode}"""',
        "suffix": '".toy"',
        "input": '"ppm"',
        "output": '"ppm"',
    }
    if "{q}" in encode:
        table |= {"lo": "0", "hi": "7", "default": "0", "integer": "true", "better": "-1"}
    path = folder / "toy.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in {**table, **keys}.items() if value))
    return path


def copying(folder: Path, **keys: str) -> CommandCodec:
    """A codec of one rate that stores the picture file as it is."""
    line = f"'{shutil.which('cp')}' {{in}} {{out}}"
    return CommandCodec.from_file(written_lines(folder, line, line, **keys))


def test_a_program_becomes_a_codec(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy, label='"Toy codec"'))
    assert codec.available() is None
    knob = codec.info.rate_param
    assert knob is not None
    assert (knob.name, knob.kind, knob.default, knob.lo, knob.hi, knob.better) == ("q", Kind.INT, 0, 0, 7, -1)
    assert (knob.role, codec.info.label, codec.info.extension, codec.info.family) == (
        Role.RATE,
        "Toy codec",
        ".toy",
        "command",
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", ["ppm", "png"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_round_trip_gives_back_the_pixels(toy: Path, channels: int, form: str, dtype: type) -> None:
    codec = copying(toy, depths="[8, 16]", input=f'"{form}"', output=f'"{form}"')
    original = image(channels, dtype)
    decoded = codec.decode(codec.encode(original, {}, CTX).data, CTX)
    assert (decoded.pixels == original.pixels).all()
    assert decoded.pixels.dtype == dtype


def test_the_knob_reaches_the_program(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy))
    original = image()
    exact = codec.encode(original, {"q": 0}, CTX)
    coarse = codec.encode(original, {"q": "5"}, CTX)
    assert len(coarse.data) < len(exact.data)
    assert exact.stats["program_s"] > 0
    assert (codec.decode(exact.data, CTX).pixels == original.pixels).all()
    assert (codec.decode(coarse.data, CTX).pixels == original.pixels & 0xE0).all()


def test_arguments_are_split_before_they_are_filled_and_never_seen_by_a_shell(toy: Path) -> None:
    words = "show {in} {out} 'two words' $HOME ; `id` {q} --q={q} {dir}"
    codec = CommandCodec.from_file(written(toy, words, lo="0.5", hi="2", default="1.25", integer=""))
    spaced = toy / "a folder; with spaces"
    spaced.mkdir()
    codec.source = spaced / "toy.toml"
    (spaced / "toy_codec.py").write_bytes(TOY.read_bytes())
    shown = codec.encode(image(), {}, CTX).data.decode().split("\n")
    assert shown == ["two words", "$HOME", ";", "`id`", "1.25", "--q=1.25", str(spaced)]


def test_a_failing_program_is_quoted(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy))
    with pytest.raises(CorruptStream, match="ended with code 1: this is not a TOY1 file"):
        codec.decode(b"rubbish", CTX)
    with pytest.raises(CorruptStream, match=r"ended with code 1: zlib\.error"):
        codec.decode(b"TOY1 and then rubbish", CTX)


def test_a_decoder_that_writes_no_picture_is_a_corrupt_stream(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy, decode="show {in} {out} hello"))
    with pytest.raises(CorruptStream, match="not a picture"):
        codec.decode(b"x", CTX)
    codec = CommandCodec.from_file(written(toy, decode="leave {in} {out}"))
    with pytest.raises(CorruptStream, match="wrote nothing"):
        codec.decode(b"x", CTX)


def test_an_encoder_that_writes_nothing_is_named(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy, "leave {in} {out}"))
    with pytest.raises(CodecFailed, match="toy: the encoder ended well but wrote nothing"):
        codec.encode(image(), {}, CTX)


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody reaps counts as ended)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def wait_until_gone(pid: int) -> bool:
    return any(gone(pid) or time.sleep(0.02) for _ in range(250))


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")


@needs_proc
def test_a_program_that_hangs_is_stopped_with_its_children(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy, "hang {in} {out}", timeout_s="1"))
    with pytest.raises(CodecFailed, match=r"took longer than 1 s.*timeout_s"):
        codec.encode(image(), {}, CTX)
    assert wait_until_gone(int((toy / "child.pid").read_text()))


@needs_proc
def test_cancel_stops_the_program_and_its_children(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy, "hang {in} {out}"))
    started = toy / "child.pid"
    with pytest.raises(Cancelled):
        codec.encode(image(), {}, Ctx(cancel=lambda: started.exists() and bool(started.read_text())))
    assert wait_until_gone(int(started.read_text()))


def test_a_program_that_floods_the_disk_is_stopped(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_SLACK", 1 << 16)
    codec = CommandCodec.from_file(written(toy, "flood {in} {out}"))
    with pytest.raises(CodecFailed, match="wrote more than"):
        codec.encode(image(), {}, CTX)


def test_the_private_folder_is_removed(toy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(command.tempfile, "tempdir", str(temporary))
    codec = CommandCodec.from_file(written(toy))
    codec.encode(image(), {}, CTX)
    with pytest.raises(CorruptStream):
        codec.decode(b"rubbish", CTX)
    assert not list(temporary.iterdir())


def test_an_unusable_temporary_folder_is_said_plainly(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.tempfile, "tempdir", str(toy / "missing"))
    with pytest.raises(CodecFailed, match="temporary folder cannot be used"):
        CommandCodec.from_file(written(toy)).encode(image(), {}, CTX)


def test_a_program_that_is_not_there_makes_the_codec_unavailable(toy: Path) -> None:
    codec = CommandCodec.from_file(written_lines(toy, "no-such-encoder {in} {out} {q}", toy_line("decode {in} {out}")))
    assert "'no-such-encoder' is not on the PATH" in (codec.available() or "")
    with pytest.raises(CodecFailed, match="does not start"):
        codec.encode(image(), {}, CTX)
    codec = CommandCodec.from_file(written_lines(toy, "{dir}/gone {in} {out} {q}", "cp {in} {out}"))
    assert f"{toy}/gone' does not exist" in (codec.available() or "")


def test_the_version_changes_with_the_file_and_with_the_program(toy: Path) -> None:
    before = CommandCodec.from_file(written(toy)).version()
    assert CommandCodec.from_file(written(toy)).version() == before
    assert CommandCodec.from_file(written(toy, hi="6")).version() != before
    (toy / "toy_codec.py").write_bytes(TOY.read_bytes() + b"\n")
    assert CommandCodec.from_file(written(toy)).version() != before


def test_what_the_program_does_not_carry_is_refused_or_fitted(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy))
    for other in (image(4), image(3, np.uint16)):
        with pytest.raises(Unsupported):
            codec.encode(other, {}, CTX)
        assert codec.encode(carry.fit(other, codec.info).image, {}, CTX).data


def test_alpha_goes_through_png(toy: Path) -> None:
    codec = copying(toy, alpha="true", input='"png"', output='"png"')
    original = image(4)
    assert (codec.decode(codec.encode(original, {}, CTX).data, CTX).pixels == original.pixels).all()


GOOD = {
    "id": '"toy"',
    "encode": '"enc {in} {out} {q}"',
    "decode": '"dec {in} {out}"',
    "lo": "0",
    "hi": "7",
    "integer": "true",
    "input": '"ppm"',
}
BROKEN = {
    "unknown key 'qualty'": {"qualty": "3"},
    "the key 'id' is missing": {"id": ""},
    "id 'My Codec'": {"id": '"My Codec"'},
    "lo = 'one': must be a number": {"lo": '"one"'},
    "hi = True: must be a number": {"hi": "true"},
    "integer = 1: must be true or false": {"integer": "1"},
    "the key 'lo' is missing": {"lo": ""},
    "they must rise": {"lo": "8"},
    "lo = 0, default = 9, hi = 7": {"default": "9"},
    "better = 2": {"better": "2"},
    "log = true needs lo above 0": {"log": "true"},
    "input = 'bmp'": {"input": '"bmp"'},
    "alpha = true: ppm": {"alpha": "true"},
    "depths = [8, 12]": {"depths": "[8, 12]"},
    "depths = []": {"depths": "[]"},
    "suffix = 'toy'": {"suffix": '"toy"'},
    "suffix = '.a/../b'": {"suffix": '".a/../b"'},
    "timeout_s = 0": {"timeout_s": "0"},
    "encode is empty": {"encode": '" "'},
    "no closing quotation": {"encode": '"enc \'{in} {out} {q}"'},
    "unknown placeholder {quality}": {"encode": '"enc {in} {out} {quality}"'},
    "the placeholder {out} is missing": {"encode": '"enc {in} {q}"'},
    "unknown placeholder {q}": {"decode": '"dec {in} {out} {q}"'},
    "need a {q} in encode": {"encode": '"enc {in} {out}"'},
    "is not valid TOML": {"label": "= ="},
}


@pytest.mark.parametrize("message", list(BROKEN))
def test_a_broken_file_is_named_with_its_fault(tmp_path: Path, message: str) -> None:
    path = tmp_path / "toy.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in GOOD.items()))
    CommandCodec.from_file(path)
    path.write_text("\n".join(f"{key} = {value}" for key, value in {**GOOD, **BROKEN[message]}.items() if value))
    with pytest.raises(UsageError) as caught:
        CommandCodec.from_file(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=re.escape(str(tmp_path / "none.toml"))):
        CommandCodec.from_file(tmp_path / "none.toml")


# --- The documentation --------------------------------------------------------------------------


def documented(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", documented("toml"), ids=lambda text: tomllib.loads(text)["id"])
def test_every_documented_file_is_valid(text: str, tmp_path: Path) -> None:
    path = tmp_path / "codec.toml"
    path.write_text(text)
    codec = CommandCodec.from_file(path)
    if codec.available() is None and "dir" not in text:
        decoded = codec.decode(codec.encode(image(), {}, CTX).data, CTX)
        assert decoded.pixels.shape == (13, 17, 3)


def test_the_worked_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = documented("python")
    (path,) = (text for text in documented("toml") if "blocks.py" in text)
    (tmp_path / "blocks.py").write_text(script)
    (tmp_path / "blocks.toml").write_text(path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    codec = CommandCodec.from_file(tmp_path / "blocks.toml")
    assert codec.available() is None
    y, x = np.mgrid[0:40, 0:50]
    smooth = Image(np.stack([x * 5, y * 6, x + y], -1).astype(np.uint8))
    sizes, errors = [], []
    for q in (2, 8):
        data = codec.encode(smooth, {"q": q}, CTX).data
        sizes.append(len(data))
        errors.append(np.abs(codec.decode(data, CTX).pixels.astype(int) - smooth.pixels).mean())
    assert sizes[0] > sizes[1]
    assert errors[0] < errors[1] < 30


def test_every_key_is_documented() -> None:
    text = DOCS.read_text()
    assert [key for key in command.KEYS if f"`{key}`" not in text] == []


def test_what_a_program_wrote_at_its_very_end_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_POLL_S", 20)  # it has ended before anybody looks again
    flood = [sys.executable, "-c", "open('big', 'wb').write(bytes(5000))"]
    assert process.run(flood, tmp_path, 60, 5000, CTX) > 0
    (tmp_path / "big").unlink()
    with pytest.raises(process.Stopped, match="wrote more than"):
        process.run(flood, tmp_path, 60, 4999, CTX)


def test_what_a_program_writes_into_folders_counts_too(tmp_path: Path) -> None:
    deep = [sys.executable, "-c", "import os; os.makedirs('a/b'); open('a/b/big', 'wb').write(bytes(5000))"]
    with pytest.raises(process.Stopped, match="wrote more than"):
        process.run(deep, tmp_path, 60, 4999, CTX)


def test_a_program_that_writes_jpegs_can_be_asked_where_its_bits_went(tmp_path: Path) -> None:
    pillow = f"'{sys.executable}' -c 'import sys, PIL.Image as p; p.open(sys.argv[1]).save(sys.argv[2])'"
    path = written_lines(tmp_path, f"{pillow} {{in}} {{out}}", f"{pillow} {{in}} {{out}}", suffix='".jpg"')
    codec = CommandCodec.from_file(path)
    assert isinstance(codec, Mapped)
    encoded = codec.encode(image(), {}, CTX)
    found = codec.bit_map(encoded.data, CTX)
    assert found.bits.shape == (13, 17) and encoded.bit_map is not None
    assert found.bits.sum() + 8 * found.apart_bytes == pytest.approx(8 * len(encoded.data), rel=1e-5)


def test_another_program_cannot(toy: Path) -> None:
    codec = CommandCodec.from_file(written(toy))
    assert not isinstance(codec, Mapped)
    assert codec.encode(image(), {}, CTX).bit_map is None
