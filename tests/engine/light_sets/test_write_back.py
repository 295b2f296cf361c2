"""Writing maps back: under their names, in another folder, over nothing that is not ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import io
from engine.color import LINEAR_SRGB
from engine.errors import TargetUnreachable, Unsupported, UsageError
from engine.image import Alpha, Image, Meaning
from engine.light_sets.write_back import (
    ENCODED,
    REPORT,
    Coding,
    MapFile,
    Order,
    failed_row,
    named,
    tasks,
    write_report,
    written_before,
)
from engine.metrics import scores
from engine.trial import Target, TargetKind
from engine.workers import TaskCtx
from tests.engine.test_channels import directions

BEST = Coding("wavelet", {"quality": 95})
CODINGS = {Meaning.LIGHT: (BEST,), Meaning.DIRECTION: (Coding("bc6h"), BEST), Meaning.MASK: (BEST,)}


@pytest.fixture
def bake(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "Scene"
    folder.mkdir()
    y, x = np.mgrid[0:32, 0:32] / 31
    light = np.stack([x, y, 0.5 * x], axis=2).astype(np.float16).astype(np.float32)
    covered = x < 0.8
    paths = [folder / f"Lightmap-0_comp_{each}" for each in ("light.exr", "dir.png", "shadowmask.png")]
    io.write(paths[0], Image(light, LINEAR_SRGB, mask=covered))
    io.write_png(paths[1], Image(directions().pixels, alpha=Alpha.STRAIGHT))
    io.write_png(paths[2], Image(directions().pixels, alpha=Alpha.STRAIGHT))
    return paths


def run(paths: list[Path], order: Order) -> dict[str, Any]:
    rows = [task.run(TaskCtx()) for task in tasks(named(paths), order)]
    return write_report(order.folder, rows)


def test_a_bake_comes_back_under_its_names_with_what_its_channels_stand_for(bake: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "Game"
    report = run(bake, Order(out, CODINGS))
    assert sorted(each.name for each in out.iterdir()) == sorted([*(each.name for each in bake), REPORT])
    for path in bake:
        was, now = io.read(path), io.read(out / path.name)
        assert now.image.meaning is was.image.meaning
        assert scores(was.image, now.image, ["psnr", "log2_psnr"]).popitem()[1] > 40
        if was.image.mask is not None:
            assert np.array_equal(now.image.mask, was.image.mask)
            assert np.array_equal(now.image.pixels.astype(np.float16), now.image.pixels)  # half floats, as it was
    rows = {row["file"]: row for row in report["rows"]}
    direction = rows["Lightmap-0_comp_dir.png"]
    assert (direction["kind"], direction["codec"]) == ("direction", "wavelet")  # BC6H carries none
    assert direction["angle_mean"] < 1 and direction["original_bytes"] == bake[1].stat().st_size
    assert json.loads((out / REPORT).read_text())["bytes"] == sum(row["bytes"] for row in rows.values())


def test_the_codecs_own_files_can_be_written(bake: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "Game"
    run(bake[1:2], Order(out, {Meaning.DIRECTION: (Coding("bc7", {"effort": "fast"}),)}, ENCODED))
    (written,) = out.glob("*.dds")
    assert written.stem == bake[1].stem
    read = io.read(written)  # the name tells its kind
    assert read.image.data is Meaning.DIRECTION and scores(directions(), read.image, ["angle_mean"])["angle_mean"] < 2


@pytest.mark.parametrize(("form", "suffix"), [("png", ".png"), ("ktx2", ".ktx2"), ("exr", ".exr")])
def test_directions_keep_their_codes_in_every_format(bake: list[Path], tmp_path: Path, form: str, suffix: str) -> None:
    order = Order(tmp_path / "Game", {Meaning.DIRECTION: (Coding("wavelet", {"lossless": True}),)}, form)
    run(bake[1:2], order)
    read = io.read(tmp_path / "Game" / f"{bake[1].stem}{suffix}").image
    assert scores(directions(), read, ["angle_mean", "rebalance"]) == pytest.approx(
        {"angle_mean": 0, "rebalance": 0}, abs=0.05
    )


def test_signed_directions_come_back_signed(tmp_path: Path) -> None:
    folder = tmp_path / "Scene"
    folder.mkdir()
    path = folder / "Lightmap-0_comp_dir.exr"
    io.write(path, directions(16), signed=True)
    assert io.read(path).signed
    run([path], Order(tmp_path / "Game", {Meaning.DIRECTION: (Coding("wavelet", {"lossless": True}),)}))
    again = io.read(tmp_path / "Game" / path.name)
    assert again.signed and np.abs(again.image.pixels.astype(int) - io.read(path).image.pixels).max() <= 16


def test_a_direction_map_is_no_radiance_file(bake: list[Path], tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="Radiance files hold light"):
        run(bake[1:2], Order(tmp_path / "Game", CODINGS, "hdr"))


# --- what is refused ------------------------------------------------------------------------------


def test_the_folder_of_an_original_is_refused_however_it_is_named(bake: list[Path], tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(bake[0].parent, target_is_directory=True)
    before = {path: path.read_bytes() for path in bake}
    for folder in (bake[0].parent, link, bake[0].parent / ".." / "Scene"):
        with pytest.raises(UsageError, match="stays alone"):
            tasks(named(bake[:1]), Order(folder, CODINGS))
    with pytest.raises(UsageError, match="stays alone"):  # by way of a name
        tasks([MapFile(bake[0], f"Scene/{bake[0].name}")], Order(tmp_path, CODINGS))
    assert {path: path.read_bytes() for path in bake} == before


def test_an_original_that_is_linked_into_the_folder_is_not_written_over(bake: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "Game"
    out.mkdir()
    os.link(bake[1], out / bake[1].name)
    (task,) = tasks(named(bake[1:2]), Order(out, CODINGS))
    with pytest.raises(UsageError, match="never written over"):
        task.run(TaskCtx())


def test_files_of_others_stay_and_those_of_a_former_run_are_renewed(bake: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "Game"
    out.mkdir()
    (out / bake[1].name).write_bytes(b"a painter's")
    order = Order(out, CODINGS)
    with pytest.raises(UsageError, match="no write-back wrote it"):
        run(bake[1:2], order)
    assert (out / bake[1].name).read_bytes() == b"a painter's"
    run(bake[2:], order)
    first = (out / bake[2].name).stat().st_mtime_ns
    run(bake[2:], order)
    assert (out / bake[2].name).stat().st_mtime_ns > first
    run(bake[:1], order)
    assert set(written_before(out)) == {bake[2].name, bake[0].name}


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"files": 3}', b'{"files": [1, null]}', b"\xff" * 9, b"[" * 99999])
def test_a_damaged_report_claims_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / REPORT).write_bytes(damage)
    assert written_before(tmp_path) == []


def test_names_that_would_meet_or_lead_out_are_refused(bake: list[Path], tmp_path: Path) -> None:
    order = Order(tmp_path / "Game", CODINGS)
    with pytest.raises(UsageError, match="two maps"):
        tasks([MapFile(bake[0], "a.exr"), MapFile(bake[1], "A.png")], order)
    for name in ("../a.exr", "/a.exr"):
        with pytest.raises(UsageError, match="no name below"):
            tasks([MapFile(bake[0], name)], order)
    with pytest.raises(UsageError, match="not as 'jpg'"):
        tasks(named(bake), Order(tmp_path / "Game", CODINGS, "jpg"))


def test_a_target_out_of_reach_writes_nothing_unless_the_nearest_will_do(bake: list[Path], tmp_path: Path) -> None:
    out, far = tmp_path / "Game", Coding("bc7", {"effort": "fast"}, Target(TargetKind.BPP, 0.1))
    order = Order(out, {Meaning.DIRECTION: (far,)})
    with pytest.raises(TargetUnreachable):
        run(bake[1:2], order)
    assert list(out.iterdir()) == []
    (task,) = tasks(named(bake[1:2]), Order(out, order.codings, nearest=True))
    row = task.run(TaskCtx())
    assert row["reached"] is False and (out / bake[1].name).exists()


def test_a_map_that_no_codec_carries_is_named(bake: list[Path], tmp_path: Path) -> None:
    (task,) = tasks(named(bake[:1]), Order(tmp_path / "Game", {Meaning.LIGHT: (Coding("jpeg"),)}))
    with pytest.raises(Unsupported, match=r"light\.exr: JPEG carries 8-bit"):
        task.run(TaskCtx())
    report = write_report(tmp_path, [failed_row(MapFile(bake[0], "a.exr"), "no")])
    assert (report["maps"], report["bytes"]) == (0, 0)
