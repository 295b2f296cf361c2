"""`ratescope bdrate`: figures that are known, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main

BASE = [(0.1, 26.0), (0.2, 29.5), (0.5, 33.0), (0.9, 35.1), (2.0, 40.0)]


def points(factor: float, gain: float = 0.0) -> list[dict[str, float]]:
    return [{"bpp": rate * factor, "psnr": quality + gain} for rate, quality in BASE]


def document() -> dict[str, Any]:
    """`half` needs half the rate on picture a and twice on b: pooled it differs, per picture it is even."""
    return {
        "inputs": 2,
        "codecs": {
            "jpeg": {"points": points(1), "images": {"a": points(1), "b": points(1, 5)}},
            "even": {"points": points(1.25), "images": {"a": points(0.5), "b": points(2, 5)}},
            "better": {"points": points(0.8), "images": {"a": points(0.8), "b": points(0.8, 5)}},
        },
        "environment": {},
    }


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    path = tmp_path / "curves.json"
    path.write_text(json.dumps(document()))
    return path


Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, Any, str]:
        code = main(["bdrate", *map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


@pytest.mark.parametrize("method", ["pchip", "akima"])
def test_the_figure_of_a_set_is_the_geometric_mean_of_its_pictures(curves: Path, run: Run, method: str) -> None:
    code, answer, _ = run(curves, "--anchor", "jpeg", "--method", method)
    assert code == 0
    assert answer["method"] == method
    even, better = answer["codecs"]["even"], answer["codecs"]["better"]
    assert even["bd_rate"] == pytest.approx(0, abs=1e-9)
    assert even["images"]["a"]["bd_rate"] == pytest.approx(-50)
    assert better["bd_rate"] == pytest.approx(-20)
    assert better["bd_quality"] > 0
    assert (better["pooled"], better["lo"], better["hi"]) == (False, 26, 45)
    assert better["images"]["b"] | {"bd_rate": 0} == {
        "bd_rate": 0, "lo": 31, "hi": 45, "anchor_points": 5, "test_points": 5, "dropped": 0, "share": 1,
    }  # fmt: skip


def test_curves_without_pictures_are_compared_as_pooled(tmp_path: Path, run: Run) -> None:
    pooled = document()
    for entry in pooled["codecs"].values():
        del entry["images"]
    (tmp_path / "pooled.json").write_text(json.dumps(pooled))
    _, answer, _ = run(tmp_path / "pooled.json", "--anchor", "jpeg")
    assert answer["codecs"]["even"]["pooled"]
    assert answer["codecs"]["even"]["bd_rate"] == pytest.approx(25)


def test_a_stated_range_is_kept(curves: Path, run: Run) -> None:
    _, answer, _ = run(curves, "--anchor", "jpeg", "--range", "32,36")
    assert answer["range"] == [32, 36]
    assert (answer["codecs"]["better"]["lo"], answer["codecs"]["better"]["hi"]) == (32, 36)
    assert answer["codecs"]["better"]["bd_rate"] == pytest.approx(-20)


def test_the_published_curves_compare_as_published(run: Run) -> None:
    code, answer, err = run("published", "--anchor", "JPEG (Pillow)", "--metric", "psnr")
    assert (code, err) == (0, "")
    assert answer["codecs"]["VTM"]["bd_rate"] == pytest.approx(-67.6, abs=0.1)
    assert answer["codecs"]["bmshj2018-factorized"]["bd_rate"] == pytest.approx(-44.5, abs=0.1)


def test_a_file_may_be_compared_with_the_published_curves(curves: Path, run: Run) -> None:
    _, answer, _ = run(curves, "published", "--anchor", "jpeg")
    assert {"even", "better", "VTM", "JPEG (Pillow)"} <= set(answer["codecs"])


def test_what_cannot_be_compared_is_said_and_the_rest_stands(tmp_path: Path, run: Run) -> None:
    mixed = document()
    mixed["codecs"]["far"] = {"points": points(1, 50)}
    mixed["codecs"]["even"]["images"]["b"] = points(1)[:3]
    (tmp_path / "mixed.json").write_text(json.dumps(mixed))
    code, answer, err = run(tmp_path / "mixed.json", "--anchor", "jpeg")
    assert code == 0
    assert answer["codecs"]["far"]["bd_rate"] is None
    assert "no quality in common" in answer["codecs"]["far"]["error"]
    assert answer["codecs"]["even"]["bd_rate"] == pytest.approx(-50)
    assert "3 usable points" in answer["codecs"]["even"]["refused"]["b"]
    assert "note: far: " in err
    assert "note: even, b: left out: " in err


def test_nothing_to_compare_is_a_failure(tmp_path: Path, run: Run) -> None:
    far = {"codecs": {"jpeg": {"points": points(1)}, "far": {"points": points(1, 50)}}}
    (tmp_path / "far.json").write_text(json.dumps(far))
    code, answer, err = run(tmp_path / "far.json", "--anchor", "jpeg")
    assert (code, answer) == (1, None)
    assert err.startswith("ratescope: far: the two curves have no quality in common")
    code, _, err = run(tmp_path / "far.json", "--anchor", "jpeg", "--metric", "ssim")
    assert code == 1
    assert "has no ssim" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--anchor", "webp"], "no curve is named 'webp'; there are jpeg, even, better"),
        (["--anchor", "jpeg", "--metric", "beauty"], "unknown metric"),
        (["--anchor", "jpeg", "--range", "40"], "write two numbers"),
        (["--anchor", "jpeg", "--range", "40,30"], "the first number must be the smaller"),
        (["--anchor", "jpeg", "--method", "cubic"], "invalid choice"),
        ([], "--anchor"),
    ],
)
def test_wrong_usage_returns_2(curves: Path, run: Run, arguments: list[str], words: str) -> None:
    code, answer, err = run(curves, *arguments)
    assert (code, answer, err.count("\n")) == (2, None, 1)
    assert words in err


def test_an_anchor_alone_is_wrong_usage(tmp_path: Path, run: Run) -> None:
    alone = {"codecs": {"jpeg": {"points": points(1)}}}
    (tmp_path / "alone.json").write_text(json.dumps(alone))
    code, _, err = run(tmp_path / "alone.json", "--anchor", "jpeg")
    assert code == 2
    assert "no curve beside the anchor" in err


def test_the_table_shows_method_range_and_points(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bdrate", str(curves), "--anchor", "jpeg", "--per-image"]) == 0
    out = capsys.readouterr().out
    assert "psnr, pchip" in out
    rows = [line.split()[0] for line in out.splitlines() if line.startswith(("better", "even"))]
    assert rows == ["better", "even"]  # best first
    (row,) = (line for line in out.splitlines() if line.startswith("better"))
    assert row.split() == ["better", "−20.0", "%", "+1.01", "26–45", "2", "≥", "5/5"]
    assert len([line for line in out.splitlines() if line.startswith("  a ")]) == 2
    assert main(["bdrate", str(curves), "--anchor", "jpeg", "--markdown"]) == 0
    assert "| better | −20.0 % |" in capsys.readouterr().out
