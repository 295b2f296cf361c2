"""Photographs and patches."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as Pillow
from tiny_model import picture

from engine import io
from engine.color import LINEAR_SRGB
from engine.errors import EngineError, LimitExceeded, UsageError
from engine.image import Alpha, Image
from engine.learned.data import Patches, is_held_back, load_photographs, rgb


def fill(folder, count, side=32):
    for index in range(count):
        Pillow.fromarray(picture(index, side)).save(folder / f"crop-{index}.png")


def test_crops_of_one_photograph_are_never_split(tmp_path):
    folder = tmp_path / "train"
    folder.mkdir()
    fill(folder, 30)
    entries = [{"file": f"train/crop-{i}.png", "source": "s", "path": f"photo-{i // 3}"} for i in range(30)]
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    photographs = load_photographs(folder, min_side=16)
    held_back = {picture.tobytes() for picture in photographs.held_back}
    for photo in range(10):
        crops = {picture(3 * photo + k, 32).tobytes() for k in range(3)}
        expected = crops if is_held_back(f"s/photo-{photo}") else set()
        assert crops & held_back == expected
    assert len(photographs.training) + len(photographs.held_back) == 30


def test_about_a_tenth_is_held_back():
    share = np.mean([is_held_back(f"photo {index}") for index in range(2000)])
    assert 0.08 < share < 0.12


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(EngineError, match="no pictures"):
        load_photographs(tmp_path, min_side=16)
    with pytest.raises(EngineError, match="not a folder"):
        load_photographs(tmp_path / "none", min_side=16)


def test_pictures_smaller_than_a_patch_are_left_out(tmp_path):
    fill(tmp_path, 30)
    with pytest.raises(UsageError, match="too few"):
        load_photographs(tmp_path, min_side=64)


def test_a_broken_manifest_is_named(tmp_path):
    fill(tmp_path, 3)
    (tmp_path / "manifest.json").write_text('[{"name": 3}]')
    with pytest.raises(EngineError, match=r"manifest\.json"):
        load_photographs(tmp_path, min_side=16)


def test_pictures_of_8_bits_stay_bytes():
    grey = np.full((4, 5), 200, np.uint8)
    assert np.array_equal(rgb(Image(grey)), np.full((4, 5, 3), 200, np.uint8))
    clear = np.zeros((4, 5, 4), np.uint8)
    assert np.array_equal(rgb(Image(clear, alpha=Alpha.STRAIGHT)), np.full((4, 5, 3), 255, np.uint8))


def test_deeper_pictures_and_light_become_floats_without_rounding():
    deep = rgb(Image(np.full((4, 5, 3), 32769, np.uint16)))
    assert deep.dtype == np.float32
    assert deep == pytest.approx(np.full((4, 5, 3), 32769 / 65535), abs=1e-7)
    linear = np.full((4, 5, 3), 0.2159, np.float32)
    linear[0, 0] = (5.0, -1.0, np.nan)
    codes = rgb(Image(linear, color=LINEAR_SRGB))
    assert codes[1:] == pytest.approx(np.full((3, 5, 3), 0.50196), abs=1e-4)
    assert codes[0, 0] == pytest.approx([1, 0, 0], abs=1e-6)


def test_folders_of_light_are_read(tmp_path):
    for seed in range(30):
        light = picture(seed, 32).astype(np.float32) / 255
        io.write(tmp_path / f"{seed}.exr", Image(light, color=LINEAR_SRGB))
    photographs = load_photographs(tmp_path, min_side=16)
    assert photographs.folder == tmp_path.name
    assert {each.dtype for each in photographs.training} == {np.dtype(np.float32)}


def test_bytes_and_floats_of_one_picture_give_the_same_patches():
    source = picture(0, 80)
    drawn = [Patches([kind], seed=1, downscale=1.0).batch(6, 32) for kind in (source, source.astype(np.float32) / 255)]
    assert drawn[0].shape == (6, 3, 32, 32)
    assert (drawn[0] - drawn[1]).abs().max() < 1.5 / 255  # the bytes are rounded when they are scaled down


def test_more_pictures_than_memory_holds_are_refused_with_both_figures(tmp_path, monkeypatch):
    fill(tmp_path, 30)
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "1M")
    load_photographs(tmp_path, min_side=16)
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "64K")
    with pytest.raises(LimitExceeded, match=r"its 30 pictures needs about 90\.0 KiB .* limit is 64\.0 KiB"):
        load_photographs(tmp_path, min_side=16)


def test_pictures_that_grow_after_the_sample_are_noticed(tmp_path, monkeypatch):
    fill(tmp_path, 30)
    Pillow.fromarray(picture(99, 300)).save(tmp_path / "crop-11.png")
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "200K")
    with pytest.raises(LimitExceeded, match="limit is"):
        load_photographs(tmp_path, min_side=16)


def test_the_same_state_draws_the_same_patches():
    patches = Patches([picture(0), picture(1)], seed=3, downscale=0.5)
    patches.batch(2, 32)
    state = patches.state
    first = patches.batch(4, 32)
    patches.state = state
    assert first.equal(patches.batch(4, 32))
    assert not first.equal(patches.batch(4, 32))


def test_patches_are_parts_of_the_picture_up_to_flips():
    source = picture(0, 40)
    patch = Patches([source], seed=0).batch(1, 40)[0].mul(255).round().byte().permute(1, 2, 0).numpy()
    turned = [np.rot90(part, k) for part in (source, source[::-1]) for k in range(4)]
    assert any(np.array_equal(patch, candidate) for candidate in turned)
