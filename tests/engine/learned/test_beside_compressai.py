"""Imported models beside CompressAI's own, where it is installed: pip install compressai."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch

from engine.cli import main
from engine.errors import EngineError
from engine.learned import zoo
from engine.learned.published import peer, state
from engine.learned.published.architecture import ARCHITECTURES, Shape
from engine.learned.published.freezing import freeze

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that it loads
    pytest.importorskip("compressai")

pytestmark = pytest.mark.filterwarnings("ignore")


def random_state(name: str) -> dict[str, torch.Tensor]:
    """The package's random weights, with latents of several steps and every part having its say."""
    torch.manual_seed(3)
    architecture = ARCHITECTURES[name]
    model = peer.peer_model(Shape(architecture, 16, 16 if architecture.residual else 24))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.startswith("entropy_bottleneck"):
                parameter.add_(0.1 * torch.randn_like(parameter))
            elif key.startswith(("g_a.6.", "g_a.7.")) and not architecture.attention:
                parameter.mul_(30)
            elif key.endswith("bias"):
                parameter.add_(0.3 * torch.randn_like(parameter))
            elif key.startswith(("h_s", "h_a", "entropy_parameters")):
                parameter.mul_(2)
    return model.state_dict()


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_latent_and_picture_are_the_package_s(name: str) -> None:
    found = state.published(random_state(name))
    told = peer.compare(found.shape, found.weights, freeze(found.shape, found.weights))
    assert max(told["latent"], told["picture"], told["coded_latent"]) <= peer.TOLERANCE
    assert told["ties"] <= 1 and told["bytes"] > 300
    assert told["bytes"] < 1.02 * told["their_bytes"] + 40


def test_a_model_that_differs_is_told_from_the_package_s(monkeypatch: pytest.MonkeyPatch) -> None:
    found = state.published(random_state("mbt2018-mean"))
    theirs = peer.peer_model(found.shape, {**found.weights, "g_s.6.bias": found.weights["g_s.6.bias"] + 0.001})
    monkeypatch.setattr(peer, "peer_model", lambda *_: theirs)
    with pytest.raises(EngineError, match=r"is not what compressai .* makes of it: off by 0\.001"):
        peer.compare(found.shape, found.weights, freeze(found.shape, found.weights))


def test_an_import_is_compared_and_the_card_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(zoo, "user_folder", lambda: tmp_path / "weights")
    torch.save(random_state("cheng2020-anchor"), tmp_path / "q1.pth.tar")
    assert main(["models", "import", str(tmp_path / "q1.pth.tar"), "--verify", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["codecs"] == ["cai-cheng2020-anchor"] and answer["checkpoints"][0]["compared"]["package"]
    (card,) = (tmp_path / "weights").glob("*.json")
    assert json.loads(card.read_text())["compared"]["tolerance"] == peer.TOLERANCE
    assert main(["models", "verify", card.stem, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["compared"]["picture"] <= peer.TOLERANCE
