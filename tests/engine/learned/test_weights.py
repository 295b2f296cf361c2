"""Weights on disk."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_model import PRIORS, RECIPE, picture, tensor, tiny_weights, trained_looking_model

from engine.errors import CorruptStream, EngineError, UsageError
from engine.learned import stored
from engine.learned.card import card_path, commands, load_card
from engine.learned.evaluate import estimate, main
from engine.learned.export import export, load_model, model_of
from engine.learned.model import LatentModel
from engine.learned.recipe import FILTERS
from engine.learned.warm import build_on
from engine.learned.zoo import models


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "tiny.safetensors"
    export(trained_looking_model().state_dict(), {"recipe": RECIPE.to_dict()}, path)
    return path


def built_on_weights(folder, monkeypatch, change=0.0):
    """Weights of a static prior on the backbone of others, which are installed: their path, and the model's.
    change: of the transform's matrices, at most."""
    backbone = tiny_weights(folder)
    monkeypatch.setenv(stored.VARIABLE, str(backbone))
    recipe = replace(RECIPE, model=PRIORS["static mixtures"], codec="factorized", backbone="hyperprior")
    model = trained_looking_model(7, recipe)
    weights = stored.read(backbone)
    build_on(model, weights)
    for matrix in model.transform.parameters() if change else ():
        matrix.add_(change * (2 * torch.rand_like(matrix) - 1))
    path = folder / "factorized.safetensors"
    card = {"recipe": recipe.to_dict(), "backbone": {"codec": "hyperprior", "digest": weights.digest}}
    export(model.state_dict(), card, path)
    return path, model


def test_what_a_backbone_has_is_not_stored_again(tmp_path, monkeypatch):
    path, model = built_on_weights(tmp_path, monkeypatch)
    held = stored.tensors(path)
    assert stored.BACKBONE in held
    assert not any(name.startswith(("transform.", "synthesis.", "log_gain.")) for name in held)
    loaded = load_model(path).state_dict()
    assert loaded.keys() == model.state_dict().keys()
    for name, own in model.state_dict().items():
        assert torch.allclose(loaded[name], own, rtol=1e-3, atol=1e-6), name


def test_of_a_transform_that_went_on_learning_the_difference_is_stored(tmp_path, monkeypatch):
    path, model = built_on_weights(tmp_path, monkeypatch, change=0.01)
    held = stored.tensors(path)
    names = [name for name in model.state_dict() if name.endswith("_matrix")]
    assert len(names) == 2
    loaded = load_model(path).state_dict()
    for name in names:
        assert name not in held and held[name + stored.MOVED].dtype == np.int8
        own = model.state_dict()[name]
        rounding = own.abs().max() / 1024  # of half precision, of the backbone's and of this
        assert torch.allclose(loaded[name], own, rtol=0, atol=0.01 / 254 + float(rounding)), name


@pytest.mark.parametrize("part", [stored.MOVED, stored.MOVED + stored.STEP])
def test_a_difference_that_does_not_fit_is_refused(tmp_path, monkeypatch, part):
    path, _ = built_on_weights(tmp_path, monkeypatch, change=0.01)
    held = stored.tensors(path)
    name = next(name for name in held if name.endswith(stored.MOVED)).removesuffix(stored.MOVED)
    damaged = held | {name + part: held[name + part][1:]}
    read = stored.tensors
    monkeypatch.setattr(stored, "tensors", lambda asked: damaged if asked == path else read(asked))
    with pytest.raises(CorruptStream, match="does not go with its backbone's"):
        stored.read(path)


def test_weights_whose_backbone_is_missing_say_so(tmp_path, monkeypatch):
    path, _ = built_on_weights(tmp_path, monkeypatch)
    monkeypatch.delenv(stored.VARIABLE)
    with pytest.raises(EngineError, match=r"builds on the weights [0-9a-f]{8}, which are not installed"):
        load_model(path)


def test_a_backbone_of_another_shape_is_refused(tmp_path):
    other = replace(RECIPE.model, synthesis_widths=(8, 8, 16))
    with pytest.raises(UsageError, match="another shape"):
        build_on(LatentModel(other, RECIPE.rate), stored.read(tiny_weights(tmp_path)))


def test_further_blocks_and_attention_change_nothing_at_first(tmp_path):
    weights = stored.read(tiny_weights(tmp_path))
    deeper = LatentModel(replace(RECIPE.model, synthesis_blocks=(2, 3, 2), attention=True), RECIPE.rate).eval()
    build_on(deeper, weights)
    pictures, rates = tensor(picture(5, 128)), torch.tensor([1.0])
    assert torch.equal(deeper(pictures, rates).picture, model_of(weights)(pictures, rates).picture)


def test_passes_by_position_begin_with_those_by_halves(tmp_path):
    weights = stored.read(tiny_weights(tmp_path))
    built = LatentModel(PRIORS["raster"], RECIPE.rate)
    build_on(built, weights)
    halves = model_of(weights)
    for whole, half in zip(built.prior.contexts(), halves.prior.contexts(), strict=True):
        assert torch.equal(whole.hidden.weight, half.second_hidden.weight)
        assert torch.equal(whole.head.weight, half.second_head.weight)
        kernel = whole.before.looked_through
        assert torch.equal(kernel[:, :, 1, 2], half.anchors.weight[:, :, 0, 1])  # the position above
        assert torch.equal(kernel[:, :, 2, 1], half.anchors.weight[:, :, 1, 0])  # that on the left
        assert kernel.count_nonzero() == kernel[:, :, 1, 2].count_nonzero() + kernel[:, :, 2, 1].count_nonzero()


def test_half_precision_changes_little(weights):
    pictures = tensor(picture(5, 128))
    before, after = estimate(trained_looking_model(), pictures, 1.0), estimate(load_model(weights), pictures, 1.0)
    assert after.bpp == pytest.approx(before.bpp, rel=2e-3)
    assert after.psnr == pytest.approx(before.psnr, abs=0.02)


def test_altered_weights_are_refused(weights):
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(CorruptStream, match="digest"):
        load_model(weights)


def test_missing_weights_and_cards_are_plain_errors(weights):
    weights.unlink()
    with pytest.raises(EngineError, match="cannot be read"):
        load_model(weights)
    card_path(weights).unlink()
    with pytest.raises(EngineError, match="card"):
        load_model(weights)


def test_weights_of_another_shape_are_refused(weights):
    card = json.loads(card_path(weights).read_text())
    card["recipe"]["model"]["hyper_width"] = 16
    card_path(weights).write_text(json.dumps(card))
    with pytest.raises(CorruptStream, match="architecture"):
        load_model(weights)


def test_a_folder_is_evaluated_picture_by_picture(weights, tmp_path, capsys):
    from PIL import Image as Pillow

    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(2):
        Pillow.fromarray(picture(seed)).save(folder / f"{seed}.png")
    out = tmp_path / "curves.json"
    assert main([str(weights), str(folder), "--points", "3", "--out", str(out)]) == 0
    curves = json.loads(out.read_text())
    assert [len(curves[name]) for name in ("0.png", "1.png")] == [3, 3]
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main([str(weights), str(tmp_path / "none")]) == 1


def test_a_card_says_the_commands_that_make_such_weights() -> None:
    train = "ratescope train --arch vae --data DIR --out RUN"
    decayed = {"steps": 30, "decay_minutes": 2.0, "decay_steps": None, "decay_from_steps": 20}
    assert commands("vae", decayed) == [f"{train} --steps 20", f"{train} --decay-steps 10"]
    assert commands("vae", {"steps": 30, "decay_minutes": None, "decay_steps": None}) == [f"{train} --steps 30"]


def test_every_shipped_card_says_what_made_its_weights() -> None:
    for model in models():
        if model.bundled and load_card(model.path)["architecture"] != FILTERS:
            card = load_card(model.path)
            assert card["commands"] == commands(card["architecture"], card["training"]), model.id
            assert card["training"]["seconds"] > 0 and card["licence"] and card["data"], model.id
