"""A set as one object: totals, and the worst first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine import io
from engine.image import Alpha, Image, Meaning
from engine.light_sets.measured import Measured, Original, SetTask, Total, set_document, worst_first
from engine.trial import Target, TargetKind
from engine.workers import TaskCtx
from tests.engine.test_channels import directions


def test_a_map_is_measured_with_every_lane_and_says_which_cannot(tmp_path: Path) -> None:
    path = tmp_path / "Lightmap-0_comp_dir.png"
    io.write_png(path, Image(directions().pixels, alpha=Alpha.STRAIGHT))
    told: list[tuple[int, Measured]] = []
    lanes = ((7, "wavelet", {}), (8, "bc6h", {}), (9, "bc7", {"effort": "fast"}))
    task = SetTask(path, lanes, Target(TargetKind.BPP, 4.0))
    original = task.run(TaskCtx(emit=told.append))
    assert original == Original(Meaning.DIRECTION, 32, 32, path.stat().st_size, 32 * 32 * 4)
    found = dict(told)
    assert found[7].trial is not None and found[7].reached and found[7].trial.bpp <= 4
    assert {"psnr", "angle_mean", "angle_p99"} <= set(found[7].trial.scores)
    assert found[8].trial is None and "floating-point" in found[8].error
    assert found[9].trial is not None and not found[9].reached and found[9].trial.stats["vram_bytes"] == 1024


def test_totals_are_sums_and_the_worst_come_first() -> None:
    rows = [
        {"image": "a", "bytes": 100, "bpp": 1.0, "vram_bpp": 8.0, "db": 40.0},
        {"image": "b", "bytes": 50, "bpp": 0.5, "vram_bpp": 8.0, "db": 30.0},
        {"image": "c", "bytes": 10, "bpp": 0.1, "vram_bpp": 8.0, "db": None},
    ]
    found = set_document(rows, "db", higher_is_better=True)
    assert {name: found[name] for name in ("maps", "disk_bytes", "vram_bytes")} == Total(3, 160, 2400).document()
    assert [each["image"] for each in found["worst"]] == ["b", "a"]
    assert worst_first({"x": 1.0, "y": 5.0, "z": np.inf}, higher_is_better=False) == ["z", "y", "x"]
