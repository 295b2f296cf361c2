"""The commands end to end: what they write, print and return."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import io, registry
from engine.cli import main
from engine.image import Alpha, Image
from tests.pictures import photo_like

CODECS = ("dct", "wavelet", "jpeg", "jpeg2000", "webp", "avif", "jxl")


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    io.write_png(path, Image(photo_like(72, 96)))
    return path


Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with --json: its exit code, its document (None if it printed nothing), its stderr."""

    def call(*arguments: object) -> tuple[int, Any, str]:
        code = main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


def assert_one_line(err: str, *words: str) -> None:
    assert err.startswith("ratescope: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_codecs_lists_every_codec_with_its_settings(run: Run) -> None:
    code, answer, err = run("codecs")
    assert (code, err) == (0, "")
    assert [row["id"] for row in answer["codecs"]] == registry.codec_ids()
    for row in answer["codecs"]:
        assert {"id", "label", "family", "available", "why", "params", "capabilities"} <= set(row)
        assert row["available"] == (row["why"] == "")
        assert [param["role"] for param in row["params"]].count("rate") <= 1


def test_codecs_for_people_shows_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codecs", "jpeg"]) == 0
    out = capsys.readouterr().out
    assert "a whole number from 1 to 100" in out
    assert "4:2:0, 4:2:2, 4:4:4" in out
    assert "wavelet" not in out


@pytest.mark.parametrize("codec", CODECS)
def test_what_encode_wrote_decodes_to_the_pixels_that_it_measured(codec: str, photo: Path, run: Run) -> None:
    packed, back = photo.with_name("packed.bin"), photo.with_name("back.png")
    code, encoded, _ = run("encode", photo, packed, "--codec", codec, "--bpp", 2)
    assert code == 0
    assert encoded["codec"] == codec
    assert encoded["reached"]
    assert encoded["bytes"] == packed.stat().st_size
    assert encoded["bpp"] == 8 * encoded["bytes"] / (96 * 72) <= 2
    code, decoded, _ = run("decode", packed, back)
    assert code == 0
    assert decoded["pixels"] == encoded["pixels"] == io.read(back).image.digest
    code, measured, _ = run("measure", photo, packed, "--metrics", "psnr")
    assert measured["psnr"] == pytest.approx(encoded["psnr"], abs=1e-9)
    code, described, _ = run("info", packed)
    assert described["pixels"] == encoded["pixels"]
    assert sum(part["size"] for part in described["sections"]) == described["bytes"] == encoded["bytes"]


@pytest.mark.parametrize("chroma", ["4:2:0", "4:2:2", "4:4:4"])
def test_a_dct_file_decodes_by_content_to_the_pixels_of_its_own_decoder(chroma: str, photo: Path, run: Run) -> None:
    packed = photo.with_suffix(".jpg")
    _, encoded, _ = run("encode", photo, packed, "--codec", "dct", "--set", f"chroma={chroma}", "--quality", 40)
    _, by_content, _ = run("decode", packed, photo.with_name("a.png"))
    _, by_name, _ = run("decode", packed, photo.with_name("b.png"), "--codec", "dct")
    assert (by_content["codec"], by_name["codec"]) == ("jpeg", "dct")
    assert by_content["pixels"] == by_name["pixels"] == encoded["pixels"]


def test_a_stream_of_ours_names_its_codec_and_sections(photo: Path, run: Run) -> None:
    run("encode", photo, photo.with_name("packed"), "--codec", "wavelet", "--quality", 50)
    _, answer, _ = run("info", photo.with_name("packed"))
    assert (answer["format"], answer["codec"]) == ("Ratescope", "wavelet")
    assert [part["name"] for part in answer["sections"]] == ["header", "wavelet", "checksum"]
    assert set(answer["checksums"]) == {"crc32c", "sha256"}


@pytest.mark.parametrize("codec", ["dct", "dct-rans"])
def test_a_file_tells_where_its_bits_went(codec: str, photo: Path, run: Run) -> None:
    packed, drawn, numbers = photo.with_name("packed"), photo.with_name("b.png"), photo.with_name("b.npy")
    _, encoded, _ = run("encode", photo, packed, "--codec", codec, "--bpp", 2)
    code, answer, _ = run("info", packed, "--bits", drawn)
    assert code == 0
    told = answer["bits_map"]
    assert told["bytes"] + sum(told["apart"].values()) == pytest.approx(encoded["bytes"], rel=0.02)
    assert told["lo"] == 0 < told["hi"] and io.read(drawn).image.pixels.shape == (72, 96, 3)
    run("info", packed, "--bits", numbers)
    bits = np.load(numbers)
    assert bits.shape == (72, 96) and bits.dtype == np.float32
    assert bits.sum() / 8 == pytest.approx(told["bytes"], rel=1e-4)


def test_what_cannot_be_told_of_bits_is_refused_before_anything_is_written(photo: Path, run: Run) -> None:
    out = photo.with_name("b.png")
    code, _, err = run("info", photo, "--bits", out)
    assert code == 1 and err == f"ratescope: {photo}: PNG does not tell where its bits went\n"
    assert not out.exists()
    assert run("info", photo, "--bits", photo)[0] == run("info", photo, "--bits", out.with_suffix(".txt"))[0] == 2


def test_quality_and_settings_reach_the_codec(photo: Path, run: Run) -> None:
    _, answer, _ = run(
        "encode", photo, photo.with_name("o.jpg"), "--codec", "jpeg", "--quality", 33, "--set", "chroma=4:4:4"
    )
    assert answer["settings"]["quality"] == 33
    assert answer["settings"]["chroma"] == "4:4:4"
    assert "target" not in answer


def test_a_number_of_bytes_is_never_exceeded(photo: Path, run: Run) -> None:
    out = photo.with_name("o.webp")
    code, answer, _ = run("encode", photo, out, "--codec", "webp", "--bytes", 1500)
    assert code == 0
    assert answer["bytes"] == out.stat().st_size <= 1500
    assert answer["target"] == {"bytes": 1500.0}
    assert len(answer["probes"]) >= answer["encodes"] >= 1


def test_a_psnr_is_never_missed(photo: Path, run: Run) -> None:
    code, answer, _ = run("encode", photo, photo.with_name("o.rsc"), "--codec", "wavelet", "--psnr", 33)
    assert code == 0
    assert 33 <= answer["psnr"] < 33.2


def test_a_second_target_uses_what_the_store_knows(photo: Path, run: Run) -> None:
    run("encode", photo, photo.with_name("o"), "--codec", "dct", "--bpp", 1.0)
    _, answer, _ = run("encode", photo, photo.with_name("o"), "--codec", "dct", "--bpp", 1.01)
    assert answer["encodes"] <= 2


def test_an_unreachable_target_writes_nothing_and_returns_3(photo: Path, run: Run) -> None:
    out = photo.with_name("o.jpg")
    code, answer, err = run("encode", photo, out, "--codec", "jpeg", "--bpp", 0.01)
    assert (code, answer, out.exists()) == (3, None, False)
    assert_one_line(err, str(photo), "JPEG", "bpp", "--nearest")


def test_nearest_writes_the_nearest_point_and_still_returns_3(photo: Path, run: Run) -> None:
    out = photo.with_name("o.jpg")
    code, answer, _ = run("encode", photo, out, "--codec", "jpeg", "--bpp", 0.01, "--nearest")
    assert code == 3
    assert not answer["reached"]
    assert answer["settings"]["quality"] == 1
    assert out.stat().st_size == answer["bytes"]


@pytest.mark.parametrize("codec", ["jpeg", "dct"])
def test_what_a_codec_cannot_carry_is_said(codec: str, tmp_path: Path, run: Run) -> None:
    rgba = np.dstack((photo_like(72, 96), np.full((72, 96), 128, np.uint8)))
    io.write_png(tmp_path / "in.png", Image(rgba, alpha=Alpha.STRAIGHT))
    _, answer, err = run("encode", tmp_path / "in.png", tmp_path / "o.jpg", "--codec", codec)
    assert any("alpha" in note for note in answer["notes"])
    assert "note: " in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--codec", "nobody"], "unknown codec 'nobody'"),
        (["--codec", "jpeg", "--set", "speed=3"], "no setting 'speed'"),
        (["--codec", "jpeg", "--set", "chroma"], "write NAME=VALUE"),
        (["--codec", "jpeg", "--quality", "400"], "from 1 to 100"),
        (["--codec", "jpeg", "--bpp", "0"], "above 0"),
        (["--codec", "jpeg", "--bpp", "nan"], "above 0"),
        (["--codec", "jpeg", "--bpp", "1", "--bytes", "5"], "not allowed with"),
        (["--codec", "jpeg", "--unknown"], "unrecognized arguments"),
        ([], "--codec"),
    ],
)
def test_wrong_usage_returns_2_in_one_line(arguments: list[str], words: str, photo: Path, run: Run) -> None:
    out = photo.with_name("o.jpg")
    code, answer, err = run("encode", photo, out, *arguments)
    assert (code, answer, out.exists()) == (2, None, False)
    assert_one_line(err, words)


def test_the_input_is_never_written_onto(photo: Path, run: Run) -> None:
    before = photo.read_bytes()
    link = photo.with_name("link.png")
    link.symlink_to(photo)
    for target in (photo, link):
        for arguments in (["encode", photo, target, "--codec", "jpeg"], ["decode", photo, target]):
            code, _, err = run(*arguments)
            assert code == 2
            assert_one_line(err, "onto an input")
        code, _, err = run("measure", photo, photo, "--heatmap", target)
        assert code == 2
    assert photo.read_bytes() == before


def test_a_damaged_file_is_refused_by_name(photo: Path, run: Run) -> None:
    packed, back = photo.with_name("packed"), photo.with_name("back.png")
    for codec in CODECS:
        run("encode", photo, packed, "--codec", codec)
        packed.write_bytes(packed.read_bytes()[:60])
        for command in (["decode", packed, back], ["info", packed], ["measure", photo, packed]):
            code, answer, err = run(*command)
            assert (code, answer, back.exists()) == (1, None, False), (codec, command)
            assert_one_line(err, str(packed))


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x8bRS"])
def test_content_that_is_no_picture_is_refused_by_name(content: bytes, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    for command in (
        ["decode", path, tmp_path / "o.png"],
        ["info", path],
        ["encode", path, tmp_path / "o", "--codec", "dct"],
    ):
        code, _, err = run(*command)
        assert code == 1
        assert_one_line(err, str(path))


def test_missing_files_and_folders_are_refused_by_name(photo: Path, tmp_path: Path, run: Run) -> None:
    nowhere = tmp_path / "nowhere"
    for command in (
        ["encode", nowhere, tmp_path / "o", "--codec", "dct"],
        ["encode", photo, nowhere / "o.jpg", "--codec", "dct"],
        ["info", nowhere],
        ["measure", photo, nowhere],
    ):
        code, _, err = run(*command)
        assert code == 1
        assert_one_line(err, str(nowhere))
    code, _, err = run("info", tmp_path)
    assert code == 1
    assert_one_line(err, "is a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_read_only_folder_is_refused_by_name(photo: Path, tmp_path: Path, run: Run) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    code, _, err = run("encode", photo, locked / "o.jpg", "--codec", "dct")
    assert code == 1
    assert_one_line(err, str(locked / "o.jpg"), "permission")


def test_a_store_that_cannot_be_used_costs_a_note_and_nothing_else(photo: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "o.jpg"
    code, _, err = run("encode", photo, out, "--codec", "dct", "--store", photo / "store")
    assert code == 0 and out.exists()
    assert err.startswith("note: ") and err.count("\n") == 1 and str(photo / "store") in err


def test_a_name_that_is_too_long_is_refused_in_plain_words(photo: Path, tmp_path: Path, run: Run) -> None:
    code, _, err = run("encode", photo, tmp_path / ("a" * 300 + ".jpg"), "--codec", "dct")
    assert code == 1
    assert_one_line(err, "the file name is too long")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_is_not_replaced(photo: Path, run: Run) -> None:
    code, _, err = run("encode", photo, "/dev/full", "--codec", "dct")
    assert code == 1
    assert_one_line(err, "/dev/full")


def test_a_decoded_picture_is_only_written_as_png(photo: Path, run: Run) -> None:
    code, _, err = run("decode", photo, photo.with_name("o.tiff"))
    assert code == 2
    assert_one_line(err, "PNG")


def test_a_picture_that_no_codec_wrote_is_not_decoded(photo: Path, run: Run) -> None:
    code, _, err = run("decode", photo, photo.with_name("o.png"))
    assert code == 2
    assert_one_line(err, str(photo), "PNG")


def test_equal_pictures_have_no_finite_psnr(photo: Path, run: Run) -> None:
    code, answer, err = run("measure", photo, photo)
    assert code == 0
    assert answer["identical"]
    assert answer["psnr"] is None
    assert answer["ssim"] == pytest.approx(1.0)
    assert "MS-SSIM needs at least" in err
    assert "ms_ssim" not in answer


def test_the_heat_map_is_a_picture_of_the_same_size(photo: Path, run: Run) -> None:
    run("encode", photo, photo.with_name("o.jpg"), "--codec", "jpeg", "--quality", 5)
    heat = photo.with_name("heat.png")
    _, answer, _ = run("measure", photo, photo.with_name("o.jpg"), "--heatmap", heat, "--heatmap-metric", "mse")
    assert answer["heatmap"]["metric"] == "mse"
    assert 0 == answer["heatmap"]["lo"] < answer["heatmap"]["hi"]
    picture = io.read(heat).image
    assert picture.pixels.shape == (72, 96, 3)
    assert picture.pixels.std() > 10


def test_pictures_of_different_size_are_not_measured(photo: Path, tmp_path: Path, run: Run) -> None:
    io.write_png(tmp_path / "small.png", Image(photo_like(40, 40)))
    code, _, err = run("measure", photo, tmp_path / "small.png")
    assert code == 2
    assert_one_line(err, "96×72", "40×40")


def test_an_unknown_metric_or_command_is_refused(photo: Path, run: Run) -> None:
    code, _, err = run("measure", photo, photo, "--metrics", "psnr,beauty")
    assert code == 2
    assert_one_line(err, "beauty", "ms_ssim")
    code, _, err = run("compress")
    assert code == 2
    assert_one_line(err, "unknown command 'compress'")


def test_a_picture_above_the_memory_limit_is_refused(photo: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "100k")
    code, _, err = run("encode", photo, photo.with_name("o.jpg"), "--codec", "dct")
    assert code == 1
    assert_one_line(err, str(photo), "limit")


def test_help_and_version_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "bdrate" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert main(["encode", "--help"]) == 0
    assert "--nearest" in capsys.readouterr().out
    assert main([]) == 2


def test_the_unexpected_is_one_line_with_a_hint(
    photo: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_data: bytes) -> Any:
        raise ZeroDivisionError("surprise\nover two lines")

    monkeypatch.setattr("engine.cli.info.sections", broken)
    code, _, err = run("info", photo)
    assert code == 1
    assert_one_line(err, "ZeroDivisionError: surprise over two lines", "RATESCOPE_DEBUG=1")
    monkeypatch.setenv("RATESCOPE_DEBUG", "1")
    assert main(["info", str(photo)]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_quiet(photo: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_data: bytes) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.info.sections", interrupted)
    assert run("info", photo) == (130, None, "")


def test_a_reader_that_has_gone_is_no_failure() -> None:
    command = f"{sys.executable} -m engine.cli codecs | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_a_name_or_terminal_that_is_no_unicode_does_no_harm(photo: Path) -> None:
    odd = os.fsencode(photo.parent) + b"/odd\xff.png"
    Path(os.fsdecode(odd)).write_bytes(photo.read_bytes())
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [os.fsencode(sys.executable), b"-m", b"engine.cli", b"info", odd]
    said = subprocess.run([*command, b"--json"], capture_output=True, env=environment, check=True)
    assert json.loads(said.stdout)["file"] == os.fsdecode(odd)
    said = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"96?72" in said.stdout


def test_listing_codecs_imports_no_heavy_library() -> None:
    code = (
        "import sys; from engine.cli import main; main(['codecs', 'dct', 'wavelet']); "
        "heavy = {'scipy', 'skimage', 'matplotlib', 'imagecodecs', 'PySide6', 'gui', 'torch'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_first_part_of_a_wavelet_file_decodes_to_a_coarser_picture(photo: Path, run: Run) -> None:
    coded = photo.with_name("o.rsw")
    run("encode", photo, coded, "--codec", "wavelet", "--quality", 60)
    found = {}
    for share in ("10%", "0.4", "100%"):
        run("decode", coded, photo.with_name("out.png"), "--first", share)
        found[share] = run("measure", photo, photo.with_name("out.png"), "--metrics", "psnr")[1]["psnr"]
    assert found["10%"] < found["0.4"] < found["100%"]


def test_a_codec_without_beginnings_says_so(photo: Path, run: Run) -> None:
    coded = photo.with_name("o.webp")
    run("encode", photo, coded, "--codec", "webp", "--quality", 60)
    code, _, said = run("decode", coded, photo.with_name("out.png"), "--first", "10%")
    assert code == 1 and "do not begin with a coarser picture" in said
    assert run("decode", coded, photo.with_name("out.png"), "--first", "2")[0] == 2
