"""Filters are learned: from patches, by least squares, into weights that the codec takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_model import light_maps

from engine import io, registry
from engine.cli import main
from engine.codec import Ctx
from engine.codecs.light_filters import CHROMA, CLASSES, LUMA
from engine.color import LINEAR_SRGB
from engine.errors import UsageError
from engine.image import Image
from engine.io.exr import exr_bytes
from engine.learned import stored
from engine.learned.light_filters import UNIT, Equations, FilterRecipe, Scale, features, learn, read_filter_recipe
from engine.native.light import WEIGHTS

SMALL = FilterRecipe(patches=6, patch=64)


def test_a_filter_that_made_the_picture_is_found() -> None:
    rng, step = np.random.default_rng(3), 1.0
    error = Scale.of(step).error * UNIT
    decoded = [rng.normal(0, 2 * error, (96, 96)).astype(np.float32) for _ in range(3)]
    truth = np.float32([0.1, 0.05, -0.1, 0.02, 0, 0, 0.03, 0, 0, -0.02, 0, 0.04])
    original = [now + error * np.tensordot(truth, features(now / error), 1) for now in decoded]
    equations = Equations()
    equations.add(original, decoded, np.ones((96, 96), bool), step)
    weights = equations.solved(1e-3)
    seen = equations.errors > 0
    for kind in (LUMA, CHROMA):
        assert np.allclose(weights[kind][seen[kind]], truth, atol=1e-3)
        assert not weights[kind][~seen[kind]].any()
    assert equations.gain(weights) > 30


def test_texels_that_do_not_count_teach_nothing() -> None:
    rng = np.random.default_rng(4)
    planes = [rng.normal(0, 50, (64, 64)).astype(np.float32) for _ in range(3)]
    counts = np.zeros((64, 64), bool)
    counts[:, :40] = True
    other = [np.where(counts, plane, 1e6).astype(np.float32) for plane in planes]
    sums = []
    for original in (planes, other):
        equations = Equations()
        equations.add([plane + 1 for plane in original], planes, counts, 0.5)
        sums.append(equations)
    assert np.array_equal(sums[0].targets, sums[1].targets) and sums[0].errors.any()


def test_learning_lessens_errors_on_what_is_learned_from() -> None:
    maps = light_maps()
    equations, patches = learn(maps.training, SMALL, lambda _: True)
    assert patches == SMALL.patches
    assert equations.gain(equations.solved(SMALL.ridge)) > 0
    again, fewer = learn(maps.training, SMALL, lambda done: done < 2)
    assert fewer == 2 and again.errors.sum() < equations.errors.sum()


@pytest.mark.parametrize("text", ["[filters]\nwidth = 3", "[filters]\npatches = 'many'", "filters = 3"])
def test_a_recipe_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UsageError, match="filters"):
        read_filter_recipe(tmp_path / "r.toml")


def test_recipes_of_networks_are_none_of_filters() -> None:
    recipes = Path(__file__).parents[3] / "resources" / "recipes"
    assert read_filter_recipe(recipes / "hyperprior.toml") is None
    assert read_filter_recipe(recipes / "lightmap-multiscale.toml") is not None


def test_the_command_gives_weights_that_the_codec_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "maps", tmp_path / "run"
    folder.mkdir()
    for number in range(12):
        light = np.exp2(light_maps().training[number % 4].stops + number).astype(np.float32)
        (folder / f"map{number}__0.exr").write_bytes(exr_bytes(Image(light, LINEAR_SRGB)))
    (tmp_path / "r.toml").write_text("[filters]\npatches = 4\npatch = 64\n")
    arguments = ["train", str(tmp_path / "r.toml"), "--data", str(folder), "--out", str(out), "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["steps"] == 4
    monkeypatch.setenv(stored.VARIABLE, document["weights"])
    codec = registry.codec("lightmap-multiscale")
    image = io.read(folder / "map0__0.exr").image
    data = codec.encode(image, {"quality": 20.0}, Ctx()).data
    assert codec.details(data, Ctx())["weights"] in (None, stored.preferred("lightmap-multiscale").name)
    assert stored.read(Path(document["weights"])).floats["filters"].shape == (2, CLASSES, WEIGHTS)
    assert main(arguments) != 0  # the run is there already
    assert main([*arguments[:-1], "--resume"]) != 0
