"""The results of a sweep as means over pictures: what is averaged, what is left out, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.curves import Curve
from engine.errors import EngineError
from engine.experiment import Experiment, ExperimentResult, Shortfall
from engine.metrics import metric
from engine.palette import ORIGINAL, look
from engine.report import by_rate, means, point_of, rd_chart, rd_document
from engine.trial import EncodeKey, Target, TargetKind, Trial, canonical


def trial(bpp: float, psnr: float, **more: Any) -> Trial:
    key = EncodeKey("picture", "jpeg", "1", canonical({"quality": round(100 * bpp), "chroma": "4:2:0"}))
    return Trial(key, round(1000 * bpp), bpp, scores={"psnr": psnr, "mse": 1.0}, **more)


def test_a_point_has_everything_that_is_known_of_a_trial() -> None:
    assert point_of(trial(0.5, 30.0, encode_s=0.25, decode_s=0.125, busy=True)) == {
        "bpp": 0.5,
        "bytes": 500,
        "psnr": 30.0,
        "mse": 1.0,
        "encode_s": 0.25,
        "decode_s": 0.125,
        "busy": True,
        "settings": {"quality": 50, "chroma": "4:2:0"},
    }


def point(bpp: float, **more: Any) -> dict[str, Any]:
    return {"bpp": bpp, "settings": {"q": 1}, "busy": False, **more}


def test_a_mean_is_over_the_steps_that_all_pictures_have() -> None:
    a = {0: point(1.0, psnr=30.0), 1: point(2.0, psnr=34.0), 2: point(9.0, psnr=40.0)}
    b = {1: point(4.0, psnr=36.0), 0: point(0.5, psnr=20.0)}
    assert means([a, b]) == [point(0.75, psnr=25.0), point(3.0, psnr=35.0)]
    assert means([]) == []


def test_a_mean_holds_what_all_share_and_nothing_that_one_lacks() -> None:
    a = point(1.0, psnr=30.0, encode_s=1.0, settings={"q": 1, "s": 2})
    b = point(3.0, psnr=None, encode_s=2.0, settings={"q": 9, "s": 2}, busy=True)
    assert means([{0: a}, {0: b}]) == [point(2.0, psnr=None, encode_s=1.5, settings={"s": 2}, busy=True)]


def test_points_go_by_rate() -> None:
    assert [each["bpp"] for each in by_rate([point(2.0), point(1.0), point(3.0)])] == [1.0, 2.0, 3.0]


def result(**curves: dict[str, dict[int, Trial]]) -> ExperimentResult:
    failures = (Shortfall("c", "jpeg", "is broken"),)
    return ExperimentResult(dict(curves), failures, {}, {"cores": 2}, 3)


PATHS = {name: Path(f"{name}.png") for name in "abc"}


def test_a_document_is_over_the_pictures_that_every_codec_coded() -> None:
    experiment = Experiment(PATHS, {"jpeg": {}, "webp": {}}, 2, ("psnr",))
    document = rd_document(
        experiment,
        result(
            jpeg={
                "a": {0: trial(1.0, 30.0)},
                "b": {0: trial(3.0, 40.0), 1: trial(2.0, 35.0)},
                "c": {0: trial(9.0, 9.0)},
            },
            webp={"b": {0: trial(0.5, 31.0)}, "a": {0: trial(1.5, 33.0)}},
        ),
    )
    assert document["inputs"] == 2
    jpeg, webp = document["codecs"]["jpeg"], document["codecs"]["webp"]
    assert [(each["bpp"], each["psnr"]) for each in jpeg["points"]] == [(2.0, 35.0)]
    assert [(each["bpp"], each["psnr"]) for each in webp["points"]] == [(1.0, 32.0)]
    assert list(jpeg["images"]) == ["a", "b", "c"]
    assert [each["bpp"] for each in jpeg["images"]["b"]] == [2.0, 3.0]
    assert "mse" not in jpeg["points"][0] and "target_bpp" not in jpeg["points"][0]
    assert document["failures"] == [{"input": "c", "codec": "jpeg", "message": "is broken", "target": None}]
    assert document["environment"] == {"cores": 2}


def test_a_document_of_targets_names_them() -> None:
    targets = tuple(Target(TargetKind.BPP, rate) for rate in (0.5, 1.0))
    experiment = Experiment({"a": PATHS["a"]}, {"jpeg": {}}, targets)
    document = rd_document(experiment, result(jpeg={"a": {1: trial(0.9, 33.0), 0: trial(0.4, 30.0)}}))
    assert [each["target_bpp"] for each in document["codecs"]["jpeg"]["points"]] == [0.5, 1.0]


def test_a_chart_has_the_curves_that_have_its_metric_each_with_its_look() -> None:
    curves = [
        Curve("jpeg", ({"bpp": 0.5, "psnr": 30.0},)),
        Curve("webp", ({"bpp": 0.5, "ssim": 0.9},)),
        Curve("dct", ({"bpp": 0.25, "psnr": 31.0}, {"bpp": 0.5})),
    ]
    references = [Curve("VTM", ({"bpp": 0.1, "psnr": 29.0},)), Curve("other", ({"bpp": 0.1},))]
    chart = rd_chart(curves, metric("psnr").info, references, title="Kodak")
    assert [(each.name, each.points, each.look) for each in chart.series] == [
        ("JPEG", [(0.5, 30.0)], look(0)),
        ("DCT", [(0.25, 31.0)], look(2)),
    ]
    assert [(each.name, each.look) for each in chart.references] == [("VTM", ORIGINAL)]
    assert (chart.quality, chart.title) == ("PSNR (dB)", "Kodak")
    assert rd_chart(curves, metric("ssim").info).quality == "SSIM"
    with pytest.raises(EngineError, match="no curve has the metric flip"):
        rd_chart(curves, metric("flip").info)
