"""Curves from other people's files and our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.curves import find, parse_curves, published, read_curves
from engine.errors import CorruptStream, EngineError, UnknownFormat, UsageError

COMPRESSAI = {
    "name": "bmshj2018-factorized",
    "description": "Inference (ans)",
    "results": {
        "bpp": [0.4, 0.1],
        "psnr-rgb": [30.0, 27.0],
        "ms-ssim": [0.95, 0.9],
        "encoding_time": [0.5, 0.1],
    },
}
OWN = {
    "inputs": 2,
    "codecs": {
        "jpeg": {
            "points": [
                {"bpp": 0.5, "psnr": 30.0, "settings": {"quality": 40}},
                {"bpp": 0.2, "psnr": None, "settings": {"quality": 10}},
            ],
            "images": {"a.png": [{"bpp": 0.6, "psnr": 31.0}], "b.png": [{"bpp": 0.4, "psnr": 29.0}]},
        }
    },
    "environment": {},
}


def written(folder: Path, document: Any) -> Path:
    path = folder / "curves.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def test_compressai_results_become_one_curve_by_rising_rate(tmp_path: Path) -> None:
    (curve,) = read_curves(written(tmp_path, COMPRESSAI))
    assert curve.name == "bmshj2018-factorized"
    assert curve.pairs("psnr") == [(0.1, 27.0), (0.4, 30.0)]
    assert curve.pairs("ms_ssim") == [(0.1, 0.9), (0.4, 0.95)]


def test_our_own_file_keeps_the_pictures_apart(tmp_path: Path) -> None:
    (curve,) = read_curves(written(tmp_path, OWN))
    assert curve.source == "mean of 2 pictures"
    assert curve.pairs("psnr") == [(0.5, 30.0)]
    assert [point["settings"]["quality"] for point in curve.points] == [10, 40]
    assert curve.per_image["b.png"] == ({"bpp": 0.4, "psnr": 29.0},)


def test_trials_of_the_window_become_a_curve_for_each_codec() -> None:
    rows = [
        {"image": "a.png", "codec": codec, "bpp": bpp, "psnr": 30 + bpp, "settings": {}}
        for codec in ("jpeg", "webp")
        for bpp in (0.5, 0.2)
    ]
    curves = parse_curves({"trials": rows})
    assert [curve.name for curve in curves] == ["jpeg", "webp"]
    assert curves[1].pairs("psnr") == [(0.2, 30.2), (0.5, 30.5)]


def test_the_published_curves_are_the_known_ones() -> None:
    curves = published()
    assert len(curves) > 30
    assert len({curve.name for curve in curves}) == len(curves)
    vtm = find(curves, "VTM")
    assert vtm.has("psnr")
    assert vtm.has("ms_ssim")
    assert "Kodak" in vtm.source
    assert all(len(curve.points) >= 6 for curve in curves)
    assert all(20 < psnr < 60 and 0 < bpp < 10 for curve in curves for bpp, psnr in curve.pairs("psnr"))


def test_an_unknown_curve_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="VTM"):
        find(published(), "nobody")


def test_curves_of_one_name_in_a_collection_fall_back_to_their_keys() -> None:
    entry = {"name": "mine", "bpp": [0.1], "psnr_rgb": [20.0]}
    curves = parse_curves({"curves": {"mine-a": entry, "mine-b": entry}})
    assert [curve.name for curve in curves] == ["mine", "mine-b"]


@pytest.mark.parametrize(
    ("document", "kind", "words"),
    [
        ("{", UnknownFormat, "is not JSON"),
        ("[1, 2]", UnknownFormat, "no curves of a known shape"),
        ({"results": {"psnr": [1.0]}}, CorruptStream, "no list 'bpp'"),
        ({"results": {"bpp": [0.1, 0.2], "psnr": [1.0]}}, CorruptStream, "2 rates, but 1 values of 'psnr'"),
        ({"results": {"bpp": [0.0], "psnr": [1.0]}}, CorruptStream, "without a rate above 0"),
        ({"results": {"bpp": ["x"]}}, CorruptStream, "without a rate above 0"),
        ({"codecs": {"jpeg": {}}}, CorruptStream, "no list of points"),
        ({"codecs": {"jpeg": {"points": [3]}}}, CorruptStream, "without a rate above 0"),
        ({"codecs": {"jpeg": {"points": [], "images": [1]}}}, CorruptStream, "not an object"),
        ("[" * 100_000, UnknownFormat, "is not JSON"),
        ({"trials": [{"bpp": 1.0}]}, CorruptStream, "names no codec"),
        ({"codecs": {}}, CorruptStream, "holds no curve"),
        ({"curves": {"a": 3}}, CorruptStream, "not an object"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_cause(
    tmp_path: Path, document: Any, kind: type[EngineError], words: str
) -> None:
    path = written(tmp_path, document)
    with pytest.raises(kind, match=words) as caught:
        read_curves(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"nowhere\.json: cannot be read"):
        read_curves(tmp_path / "nowhere.json")


def test_other_peoples_names_of_metrics_are_ours() -> None:
    names = ["psnr-rgb", "psnr_rgb", "ms-ssim", "ms_ssim_rgb", "ms-ssim-rgb", "psnr-y", "psnr-yuv", "vmaf"]
    found = []
    for name in names:
        (curve,) = parse_curves({"results": {"bpp": [0.5], name: [1.0]}})
        found.append(next(key for key in curve.points[0] if key != "bpp"))
    assert found == ["psnr", "psnr", "ms_ssim", "ms_ssim", "ms_ssim", "psnr_y", "psnr_yuv", "vmaf"]


@pytest.mark.parametrize(("inputs", "source"), [(1, ""), (2, "mean of 2 pictures"), (0, "mean of 0 pictures")])
def test_a_mean_says_of_how_many_pictures_it_is(inputs: int, source: str) -> None:
    (curve,) = parse_curves({**OWN, "inputs": inputs})
    assert curve.source == source
    (alone,) = parse_curves({"codecs": OWN["codecs"]})
    assert alone.source == ""


def test_a_curve_keeps_its_name_and_where_it_is_from() -> None:
    (named,) = parse_curves(COMPRESSAI)
    assert (named.name, named.source) == ("bmshj2018-factorized", "Inference (ans)")
    (nameless,) = parse_curves({"results": {"bpp": [0.1]}})
    assert (nameless.name, nameless.source) == ("unnamed", "")
    entry = {"bpp": [0.1], "psnr": [20.0], "remark": "not a column"}
    (plain,) = parse_curves({"set": "Kodak", "source": "a paper", "curves": {"key": entry}})
    assert (plain.name, plain.source, plain.points) == ("key", "Kodak, a paper", ({"bpp": 0.1, "psnr": 20.0},))


@pytest.mark.parametrize("value", [None, "x", True, float("nan"), float("inf"), [1]])
def test_a_score_that_is_no_number_is_left_out(value: object) -> None:
    document = {"codecs": {"a": {"points": [{"bpp": 1, "psnr": value, "ssim": 0.5, "settings": {"q": 1}}]}}}
    (curve,) = parse_curves(document)
    assert curve.points == ({"bpp": 1, "ssim": 0.5, "settings": {"q": 1}},)
    assert (curve.has("psnr"), curve.has("ssim"), curve.pairs("ssim")) == (False, True, [(1, 0.5)])


@pytest.mark.parametrize("bpp", [0, -1.0, None, True, float("inf"), "1"])
def test_a_point_needs_a_rate_above_0(bpp: object) -> None:
    with pytest.raises(CorruptStream, match="curve 'a' has a point without a rate above 0"):
        parse_curves({"codecs": {"a": {"points": [{"bpp": bpp}]}}})


def test_a_file_of_more_than_64_mib_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UnknownFormat, match="too large for a file of curves"):
        read_curves(path)
    with path.open("wb") as file:
        file.truncate(64 << 20)
    with pytest.raises(UnknownFormat, match="is not JSON"):
        read_curves(path)
