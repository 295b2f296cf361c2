"""Weights on disk."""

from __future__ import annotations

import json

import pytest
from tiny_model import RECIPE, picture, tensor, trained_looking_model

from engine.errors import CorruptStream, EngineError
from engine.learned.card import card_path
from engine.learned.evaluate import estimate, main
from engine.learned.export import export, load_model


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "tiny.safetensors"
    export(trained_looking_model().state_dict(), {"recipe": RECIPE.to_dict()}, path)
    return path


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
