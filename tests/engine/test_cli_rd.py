"""`ratescope rd` end to end: curves over pictures, files, and sweeps that go on."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import io
from engine.cli import main
from engine.curves import read_curves
from engine.experiment import Experiment, ExperimentResult
from engine.image import Image
from engine.report import rd_document
from engine.trial import EncodeKey, Trial
from tests.pictures import photo_like

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    io.write_png(folder / "one.png", Image(photo_like(48, 64)))
    io.write_png(folder / "deep" / "two.png", Image(photo_like(64, 48, seed=3)))
    (folder / "readme.txt").write_text("no picture")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def call(*arguments: object) -> tuple[int, Any, str]:
        code = main(["rd", *map(str, arguments), "--store", str(tmp_path / "store"), "--workers", "1", "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


def test_points_are_means_over_the_pictures_at_one_setting(folder: Path, run: Run) -> None:
    code, answer, _ = run(folder, "--codecs", "jpeg,dct", "--points", 4, "--metrics", "psnr,ssim")
    assert code == 0
    assert answer["inputs"] == 2
    assert list(answer["codecs"]) == ["jpeg", "dct"]
    jpeg = answer["codecs"]["jpeg"]
    assert list(jpeg["images"]) == ["deep/two.png", "one.png"]
    assert len(jpeg["points"]) == 4
    for point in jpeg["points"]:
        same = [p for points in jpeg["images"].values() for p in points if p["settings"] == point["settings"]]
        assert len(same) == 2
        for name in ("bpp", "psnr", "ssim", "encode_s", "decode_s"):
            assert point[name] == pytest.approx((same[0][name] + same[1][name]) / 2)
    rates = [point["bpp"] for point in jpeg["points"]]
    assert rates == sorted(rates)
    assert "libjpeg-turbo" in answer["environment"]["codecs"]["jpeg"]


def test_points_reach_from_a_low_to_a_high_rate_for_every_codec(tmp_path: Path, run: Run) -> None:
    io.write_png(tmp_path / "large.png", Image(photo_like(240, 320)))
    codecs = ("dct", "wavelet", "jpeg", "webp", "jxl")
    _, answer, _ = run(tmp_path / "large.png", "--codecs", ",".join(codecs), "--points", 4, "--metrics", "psnr")
    for codec in codecs:
        rates = [point["bpp"] for point in answer["codecs"][codec]["points"]]
        assert len(rates) == 4
        assert rates[0] < 0.3
        assert 1.8 < rates[-1] <= 2


def test_a_picture_of_one_colour_still_has_a_curve(tmp_path: Path, run: Run) -> None:
    io.write_png(tmp_path / "flat.png", Image(np.full((240, 320, 3), 90, np.uint8)))
    code, answer, _ = run(tmp_path / "flat.png", "--codecs", "jpeg", "--points", 3, "--metrics", "psnr")
    assert code == 0
    assert len(answer["codecs"]["jpeg"]["points"]) == 3


def test_a_rate_is_met_on_every_picture_and_never_exceeded(folder: Path, run: Run) -> None:
    code, answer, err = run(folder, "--codecs", "dct", "--bpp", "3,0.001,2,0.001", "--metrics", "psnr")
    assert code == 0
    entry = answer["codecs"]["dct"]
    assert [point["target_bpp"] for point in entry["points"]] == [2.0, 3.0]
    for points in [entry["points"], *entry["images"].values()]:
        assert all(0.9 * point["target_bpp"] < point["bpp"] <= point["target_bpp"] for point in points)
    assert "note: dct: 0.001 bpp is out of reach on 2 of 2 pictures" in err
    assert "quality" not in entry["points"][0]["settings"]  # it differs from picture to picture
    assert entry["points"][0]["settings"]["chroma"] == "4:2:0"


def test_settings_reach_their_codec_only(folder: Path, run: Run) -> None:
    wanted = ["--set", "jpeg:chroma=4:4:4"]
    _, answer, _ = run(folder / "one.png", "--codecs", "jpeg,dct", "--points", 1, *wanted, "--metrics", "psnr")
    (jpeg,), (dct,) = (answer["codecs"][name]["points"] for name in ("jpeg", "dct"))
    assert (jpeg["settings"]["chroma"], dct["settings"]["chroma"]) == ("4:4:4", "4:2:0")


def test_every_kind_of_file_is_written(folder: Path, tmp_path: Path, run: Run) -> None:
    outs = {form: tmp_path / f"rd.{form}" for form in ("json", "csv", "svg", "pdf", "png")}
    options = [word for path in outs.values() for word in ("--out", path)]
    code, answer, _ = run(folder, "--codecs", "jpeg", "--points", 3, *options, "--under", "VTM", "--title", "Ours")
    assert code == 0
    assert json.loads(outs["json"].read_text()) == answer
    (curve,) = read_curves(outs["json"])
    assert len(curve.pairs("psnr")) == 3
    assert set(curve.per_image) == {"one.png", "deep/two.png"}
    with outs["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows].count("mean") == 3
    assert len(rows) == 9
    svg = outs["svg"].read_text()
    assert "<!-- Ours -->" in svg
    assert "<!-- VTM -->" in svg
    assert outs["pdf"].read_bytes().startswith(b"%PDF")
    assert io.read(outs["png"]).image.width > 1000


def test_a_sweep_goes_on_from_the_store(folder: Path, run: Run) -> None:
    _, first, _ = run(folder, "--codecs", "jpeg", "--points", 3, "--metrics", "psnr")
    _, again, _ = run(folder, "--codecs", "jpeg", "--points", 3, "--metrics", "psnr")
    # Times are of the first run: nothing was encoded again.
    assert again["codecs"] == first["codecs"]
    _, other, _ = run(folder, "--codecs", "jpeg", "--points", 3, "--metrics", "ssim")
    assert other["codecs"]["jpeg"]["points"][0].keys() == {*first["codecs"]["jpeg"]["points"][0]} - {"psnr"} | {"ssim"}


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_is_measured(folder: Path, run: Run) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    code, answer, err = run(folder, "--codecs", "jpeg", "--points", 2)
    assert code == 1
    assert answer["inputs"] == 2
    assert [failure["input"] for failure in answer["failures"]] == ["broken.png"]
    assert err.startswith("ratescope: ")
    assert str(folder / "broken.png") in err
    (folder / "one.png").unlink()
    (folder / "deep" / "two.png").unlink()
    code, answer, err = run(folder, "--codecs", "jpeg", "--points", 2)
    assert (code, answer) == (1, None)
    assert "nothing was measured" in err


def test_means_are_over_the_pictures_that_every_codec_coded() -> None:
    def trial(name: str, bpp: float) -> Trial:
        return Trial(EncodeKey(name, "x", "1", "{}"), 100, bpp, scores={"psnr": 30.0})

    experiment = Experiment({"a": Path("a"), "b": Path("b")}, {"x": {}, "y": {}}, 1)
    curves = {"x": {"a": {0: trial("a", 1.0)}, "b": {0: trial("b", 3.0)}}, "y": {"a": {0: trial("a", 2.0)}}}
    document = rd_document(experiment, ExperimentResult(curves, (), {}, {}, 3))
    assert document["inputs"] == 1
    assert [document["codecs"][name]["points"][0]["bpp"] for name in "xy"] == [1.0, 2.0]
    assert set(document["codecs"]["x"]["images"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--codecs", "nobody"], 2, "unknown codec"),
        (["--codecs", ","], 2, "names no codec"),
        (["--codecs", "jpeg", "--bpp", "0.5,x"], 2, "write rates"),
        (["--codecs", "jpeg", "--bpp", "-1"], 2, "above 0"),
        (["--codecs", "jpeg", "--points", "0"], 2, "whole numbers from 1"),
        (["--codecs", "jpeg", "--set", "chroma=4:4:4"], 2, "CODEC:NAME=VALUE"),
        (["--codecs", "jpeg", "--set", "dct:chroma=4:4:4"], 2, "CODEC:NAME=VALUE"),
        (["--codecs", "jpeg", "--out", "rd.xls"], 2, ".json, .csv, .svg"),
        (["--codecs", "jpeg", "--chart-metric", "flip"], 2, "not among --metrics"),
        (["--codecs", "jpeg", "--under", "nobody"], 2, "no curve is named"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(
    folder: Path, run: Run, arguments: list[str], code: int, words: str
) -> None:
    got, answer, err = run(folder, *arguments)
    assert (got, answer, err.count("\n")) == (code, None, 1)
    assert words in err


def test_an_output_is_never_written_onto_an_input(folder: Path, run: Run) -> None:
    picture = folder / "one.png"
    before = picture.read_bytes()
    for inputs in (picture, folder):
        code, _, err = run(inputs, "--codecs", "jpeg", "--points", 1, "--out", picture)
        assert code == 2
        assert "onto an input" in err
    assert picture.read_bytes() == before


def test_a_folder_without_pictures_is_refused_by_name(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = run(tmp_path / "empty", "--codecs", "jpeg")
    assert code == 1
    assert f"{tmp_path / 'empty'}: holds no picture" in err


def test_the_table_for_people_has_a_row_for_each_point(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store"), "--workers", "1"]
    assert main(["rd", str(folder / "one.png"), "--codecs", "jpeg", "--points", "3", "--metrics", "psnr", *store]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["codec", "bpp", "PSNR", "encode", "decode"]
    assert len(lines) == 4
    assert all(line.startswith("jpeg ") and " dB " in line for line in lines[1:])
