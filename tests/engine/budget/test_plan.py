"""Sets of pictures into budgets, measured, chosen and written."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import registry
from engine.budget.carry import CarryTask
from engine.budget.choose import Option
from engine.budget.measure import enlarged, reduced
from engine.budget.survey import without_masks
from engine.cli import main
from engine.codec import Ctx
from engine.codecs.jpeg import JpegCodec
from engine.errors import EngineError
from engine.files import FileMark, mark_file
from engine.image import Image
from engine.trial import canonical
from tests.pictures import photo_like

Run = Callable[..., tuple[int, dict]]


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """A busy picture, and one that is easy, in a folder of its own."""
    folder = tmp_path / "maps"
    (folder / "hall").mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 25, (96, 128, 3))
    Pillow.fromarray((photo_like(96, 128) + noise).clip(0, 255).astype(np.uint8)).save(folder / "busy.png")
    easy = Pillow.fromarray(photo_like(24, 32)).resize((128, 96), Pillow.Resampling.BICUBIC)
    easy.save(folder / "hall" / "easy.png")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def call(*words: object) -> tuple[int, dict]:
        code = main([str(word) for word in (*words, "--store", tmp_path.with_name(f"{tmp_path.name}-store"), "--json")])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else {}

    return call


def test_a_plan_that_is_carried_out_fits_and_beats_the_best_single_preset(maps: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("--codecs", "jpeg,wavelet", "--points", 5, "--scales", "1,2", "--workers", 1, "--apply", out)
    code, plan = run("budget", maps, "--fit", 6000, *words)
    assert code == 0
    written = {row["file"]: row for row in plan["written"]}
    assert set(written) == {"busy.png", "hall/easy.png"}
    sizes = {name: (out / row["written"]).stat().st_size for name, row in written.items()}
    assert sizes == {name: row["disk_bytes"] for name, row in written.items()}
    assert sum(sizes.values()) == plan["plan"]["disk_bytes"] <= 6000
    assert plan["plan"]["error"] < plan["best_single"]["error"]
    for row in plan["plan"]["rows"]:
        assert written[row["file"]]["db"] == row["db"]
    listed = list(csv.DictReader((out / "import.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["written"] for row in listed] == [row["written"] for row in plan["written"]]
    data = (out / written["busy.png"]["written"]).read_bytes()
    assert registry.codec(written["busy.png"]["codec"]).decode(data, Ctx()).width in (64, 128)


def test_what_was_measured_is_neither_encoded_again_nor_lost_for_another_budget(
    maps: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--codecs", "jpeg", "--points", 3, "--scales", "1,2", "--workers", 1, "--refine", 0)
    _, first = run("budget", maps, "--fit", 9000, *words)
    encoded: list[object] = []
    monkeypatch.setattr(JpegCodec, "encode", lambda *asked: encoded.append(asked))
    code, plan = run("budget", maps, "--fit", 5000, *words, "--apply", tmp_path / "out")
    assert (code, first["encodes"], plan["encodes"], encoded) == (0, 12, 0, [])
    assert sum((tmp_path / "out" / row["written"]).stat().st_size for row in plan["written"]) <= 5000
    assert plan["plan"]["error"] > first["plan"]["error"]
    assert plan["before"]["disk_bytes"] == sum(path.stat().st_size for path in maps.rglob("*.png"))


def test_refining_takes_error_away_and_the_single_preset_is_refined_too(maps: Path, run: Run) -> None:
    words = ("--fit", 6000, "--codecs", "jpeg", "--points", 3, "--scales", "1", "--workers", 1)
    _, coarse = run("budget", maps, *words, "--refine", 0)
    code, fine = run("budget", maps, *words, "--refine", 3)
    assert code == 0 and fine["encodes"] > 0
    assert fine["plan"]["disk_bytes"] <= 6000
    assert fine["plan"]["error"] < coarse["plan"]["error"]
    assert fine["best_single"]["error"] < coarse["best_single"]["error"]
    assert fine["plan"]["error"] <= fine["best_single"]["error"]


def carried(maps: Path, folder: Path, blobs: Path | None) -> dict:
    """What carrying out an option of the easy picture says, at half its sides."""
    source = maps / "hall" / "easy.png"
    option = Option("jpeg", canonical(registry.codec("jpeg").info.complete({"quality": 80})), 2, 1, 1, 0.0, 0.0, "00")
    sources = frozenset({source.resolve()})
    return CarryTask("easy.png", source, mark_file(source), option, folder, sources, blobs).run(Ctx())


def test_a_file_that_is_not_kept_any_more_is_encoded_again(maps: Path, tmp_path: Path) -> None:
    row = carried(maps, tmp_path / "out", tmp_path / "nothing")
    data = (tmp_path / "out" / row["written"]).read_bytes()
    assert len(data) == row["disk_bytes"] > 1 and row["db"] > 20
    assert registry.codec("jpeg").decode(data, Ctx()).width == 64


def test_a_picture_that_is_another_by_now_is_not_carried_out(maps: Path, tmp_path: Path) -> None:
    source = maps / "busy.png"
    option = Option("jpeg", "{}", 1, 1, 1, 0.0, 0.0)
    task = CarryTask("busy.png", source, FileMark("0", 1), option, tmp_path, frozenset(), None)
    with pytest.raises(EngineError, match="changed since it was measured"):
        task.run(Ctx())


def test_a_budget_below_the_least_ends_with_code_3(maps: Path, run: Run) -> None:
    assert run("budget", maps, "--fit", 10, "--codecs", "jpeg", "--points", 2, "--workers", 1)[0] == 3


def test_in_memory_a_texture_counts_as_it_stays_there_and_a_picture_as_it_is_decoded(maps: Path, run: Run) -> None:
    words = ("--count", "vram", "--points", 1, "--scales", 1, "--workers", 1)
    texels = 2 * 96 * 128
    code, plan = run("budget", maps, "--fit", "1M", "--codecs", "jpeg", *words)
    assert (code, plan["plan"]["vram_bytes"]) == (0, 4 * texels)
    code, plan = run("budget", maps, "--fit", "1M", "--codecs", "bc7", *words)
    assert (code, plan["plan"]["vram_bytes"]) == (0, texels)


def test_pictures_are_never_written_over(tmp_path: Path, run: Run) -> None:
    Pillow.fromarray(photo_like(32, 32)).save(tmp_path / "a.png")
    Pillow.fromarray(photo_like(32, 32)).save(tmp_path / "a.png.jpg")
    before = (tmp_path / "a.png.jpg").read_bytes()
    words = ("--codecs", "jpeg", "--points", 1, "--scales", 1, "--workers", 1)
    assert run("budget", tmp_path, "--fit", "1M", *words, "--apply", tmp_path)[0] == 2
    assert (tmp_path / "a.png.jpg").read_bytes() == before


def test_a_mask_file_is_no_map(maps: Path) -> None:
    for name in ("busy.mask.png", "lone.mask.png"):
        Pillow.new("L", (128, 96), 255).save(maps / name)
    found = without_masks({path.name: path for path in maps.rglob("*.png")})
    assert set(found) == {"busy.png", "easy.png", "lone.mask.png"}


def test_what_does_not_count_is_left_out_when_sides_are_divided() -> None:
    light = np.full((4, 6, 3), 2.0, np.float32)
    mask = np.ones((4, 6), bool)
    light[0:2, 0], mask[0:2, 0] = 1000.0, False
    light[:, 4:], mask[:, 4:] = 7.0, False
    small = reduced(Image(light, mask=mask), 2)
    assert small.pixels.shape == (2, 3, 3) and small.mask is not None
    assert np.allclose(small.pixels[small.mask], 2.0)
    assert small.mask.tolist() == [[True, True, False], [True, True, False]]


def test_a_gradient_survives_being_reduced_and_enlarged() -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None] * 3, (32, 64, 3))
    back = enlarged(reduced(Image(np.ascontiguousarray(ramp)), 2), 64, 32)
    assert back.pixels.dtype == np.uint8
    assert np.abs(back.pixels.astype(int) - ramp)[:, 2:-2].max() <= 6000
