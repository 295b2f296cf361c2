"""`ratescope train` and `ratescope models` end to end, with a model of a few thousand parameters."""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow
from tiny_model import picture

from engine import io
from engine.cli import main, models, worth
from engine.cli.console import Console
from engine.errors import EngineError, UsageError
from engine.files import claimed
from engine.image import Image
from engine.learned import needs, stored, zoo
from engine.learned import train as train_module
from engine.learned.attribution import attribution_text
from engine.learned.checkpoint import FILE, read_checkpoint
from engine.learned.export import load_model
from engine.learned.train import LOCK, WEIGHTS
from tests.pictures import photo_like

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard")

RECIPE = """
[model]
channels = 24
slices = [6, 18]
hyper_channels = 4
hyper_width = 8
context_width = 8
anchor_width = 8
synthesis_widths = [8, 8, 8]
synthesis_blocks = [1, 1, 1]
[training]
batch = 2
patch = 64
static_steps = 2
[decay]
batch = 2
patch = 64
"""
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "photos"
    folder.mkdir()
    for seed in range(30):
        Pillow.fromarray(picture(seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(autouse=True)
def own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zoo, "user_folder", lambda: tmp_path / "weights")
    monkeypatch.setattr(zoo, "bundled_folder", lambda: tmp_path / "bundled")
    return tmp_path / "weights"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with --json: its exit code, its document (None if it printed nothing), its stderr."""

    def call(*arguments: object) -> tuple[int, Any, str]:
        code = main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


@pytest.fixture
def train(run: Run, recipe: Path, data: Path, tmp_path: Path) -> Run:
    return lambda *more: run("train", recipe, "--data", data, "--out", tmp_path / "run", "--threads", 1, *more)


def test_a_session_reports_what_it_did(train, tmp_path):
    code, answer, err = train("--steps", 4)
    assert code == 0
    assert (answer["steps"], answer["steps_taken"], answer["skipped"]) == (4, 4, 0)
    assert answer["run"] == str(tmp_path / "run")
    assert answer["device"] == ("cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu")
    assert answer["data"]["folder"] == "photos"
    assert answer["data"]["training"] + answer["data"]["held_back"] == 30
    assert len(answer["curve"]) == 6
    assert answer["weights"] is None
    assert "pictures to train on" in err
    code, answer, _ = train("--steps", 3, "--resume")
    assert (code, answer["steps"], answer["steps_taken"]) == (0, 7, 3)


def test_a_decay_leaves_the_run_as_it_was_and_ends_in_weights(train, tmp_path):
    train("--steps", 4)
    before = (tmp_path / "run" / FILE).read_bytes()
    code, answer, _ = train("--decay-steps", 4, "--steps", 2)
    assert (code, answer["decayed"], answer["weights"]) == (0, 0.5, None)
    code, answer, _ = train("--decay-steps", 4, "--resume")
    assert (code, answer["decayed"]) == (0, 1.0)
    weights = tmp_path / "run" / "decay-4" / WEIGHTS
    assert answer["weights"] == str(weights)
    assert (tmp_path / "run" / FILE).read_bytes() == before
    averaged = read_checkpoint(weights.parent)["averaged"]
    for name, tensor in load_model(weights).state_dict().items():
        assert torch.allclose(tensor, averaged[name], atol=0.02, rtol=1e-3)
    code, _, err = train("--decay-steps", 4, "--resume")
    assert code == 2
    assert "is over" in err


def _interrupt_once_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.05)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)


def test_asked_to_end_it_saves_and_says_so(train, tmp_path):
    ask = threading.Thread(target=_interrupt_once_there, args=(tmp_path / "run" / FILE,))
    before = signal.getsignal(signal.SIGINT)
    ask.start()
    code, answer, _ = train("--minutes", 5)
    ask.join()
    assert code == 130
    assert answer["interrupted"]
    assert signal.getsignal(signal.SIGINT) == before
    assert read_checkpoint(tmp_path / "run")["progress"]["steps"] == answer["steps"]


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--minutes", 0], 2, "'0' is not a number above 0"),
        (["--steps", "many"], 2, "'many' is not a whole number"),
        (["--device", "gpu"], 2, "unknown device 'gpu'"),
        (["--arch", "hyperprior"], 2, "either RECIPE.toml or --arch"),
        (["--decay-steps", 3], 2, "holds no run"),
        (["--data", "nowhere"], 1, "nowhere: is not a folder"),
        (["--init", "none.safetensors"], 1, "none.json: the card"),
    ],
)
def test_wrong_usage_is_one_line(train, tmp_path, more, code, says):
    answer = train(*more)
    assert answer[:2] == (code, None)
    complaint = answer[2].splitlines()[-1]
    assert complaint.startswith("ratescope: ")
    assert says in complaint
    assert not (tmp_path / "run" / FILE).exists()


def test_recipes_that_are_no_recipes_are_refused_by_name(run, data, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[training]\nbtach = 8\n")
    for words, says in (([wrong], "wrong.toml: unknown entry 'btach'"), ([], "name a recipe")):
        code, _, err = run("train", *words, "--data", data, "--out", tmp_path / "run", "--steps", 1)
        assert code != 0
        assert says in err
    code, _, err = run("train", "--arch", "resnet", "--data", data, "--out", tmp_path / "run", "--steps", 1)
    assert (code, "known are" in err and "hyperprior" in err) == (2, True)


def test_a_run_is_neither_overwritten_nor_continued_as_another_model(train, recipe, tmp_path):
    train("--steps", 1)
    code, _, err = train("--steps", 1)
    assert (code, "--resume" in err) == (2, True)
    recipe.write_text(RECIPE.replace("hyper_width = 8", "hyper_width = 16"))
    code, _, err = train("--steps", 1, "--resume")
    assert (code, "model or rate section" in err) == (2, True)


def test_two_processes_never_train_in_one_folder(train, tmp_path):
    train("--steps", 1)
    with claimed(tmp_path / "run" / LOCK, ""):
        code, _, err = train("--steps", 1, "--resume")
        assert (code, "another process is training here" in err) == (2, True)
        assert train("--decay-steps", 1)[0] == 0
    assert train("--steps", 1, "--resume")[0] == 0


def test_without_torch_a_command_says_what_to_install(train, monkeypatch):
    monkeypatch.setattr(needs, "TRAINING", ("torch", "no_such_library"))
    code, _, err = train("--steps", 1)
    assert code == 1
    assert "no_such_library must be installed: pip install no_such_library" in err


def test_the_module_s_own_path_is_the_same_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(train_module.__file__, run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ratescope train")


def test_weights_are_exported_listed_shown_and_verified(train, run, tmp_path, own_weights, capsys):
    train("--steps", 4)
    train("--decay-steps", 2)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(
        json.dumps([{"file": "photos/1.png", "source": "who/what", "path": "a.jpg", "commit": "c0ffee"}])
    )
    export = ["models", "export", tmp_path / "run" / "decay-4", "--note", "tiny", "--attribution", manifest]
    code, exported, err = run(*export)
    assert (code, err) == (0, "")
    assert exported["file"] == str(own_weights / "hyperprior-6.safetensors")
    assert exported["licence"] == "Apache-2.0"
    assert exported["data"]["folder"] == "photos"
    assert exported["training"]["steps"] == 6
    assert exported["training"]["machine"]["threads"] == 1
    assert exported["measured"]["held_back"]["steps"] == 6
    assert len(exported["measured"]["held_back"]["curve"]) == 6
    attribution = (own_weights / "hyperprior-6.attribution.txt").read_text()
    assert "who/what, https://github.com/who/what, version c0ffee\n  a.jpg" in attribution
    _, listed, _ = run("models")
    assert [(row["id"], row["steps"], row["note"], row["bundled"]) for row in listed["models"]] == [
        ("hyperprior-6", 6, "tiny", False)
    ]
    code, shown, _ = run("models", "show", "hyperprior-6")
    assert (code, shown["digest"]) == (0, exported["digest"])
    assert main(["models", "show", "hyperprior-6"]) == 0
    card = capsys.readouterr().out
    for words in ("Apache-2.0", "6 steps", "pictures of 'photos'", "hyperprior-6.attribution.txt", "estimated rates"):
        assert words in card
    code, verified, _ = run("models", "verify", "hyperprior-6")
    assert (code, verified["digest"]) == (0, exported["digest"])
    assert {kind: len(ends) for kind, ends in verified["points"].items()} == {"floats": 2, "integers": 2, "files": 2}


def test_what_makes_texture_up_is_measured_beside_its_parent_by_every_metric(tmp_path, monkeypatch):
    card = {"architecture": "dct", "recipe": {"texture": {}}, "backbone": {"codec": "jpeg"}}  # at hand, and quick
    monkeypatch.setattr(worth, "load_card", lambda path: card)
    monkeypatch.setattr(worth, "GENERATIVE_QUALITIES", (30, 60))
    folder = tmp_path / "measured"
    folder.mkdir()
    io.write_png(folder / "one.png", Image(photo_like(176, 176)))
    found = worth.measure(tmp_path / "tiny.safetensors", folder, Console(), tmp_path / "store", 1)
    assert [point["settings"]["quality"] for point in found["curve"]] == [30, 60]
    for points in (found["curve"], found["parent"]["jpeg"]):
        assert all(point.keys() >= {"bpp", *worth.GENERATIVE_METRICS} for point in points)
    shown = models._worth({**card, "measured": {"pictures": found}})
    assert shown.count("jpeg") == shown.count("dct") == 2
    assert "Patch Fréchet" in shown


def test_a_measured_card_has_the_curve_of_file_bytes_and_bd_rates(train, run, tmp_path, monkeypatch):
    monkeypatch.setattr(worth, "load_card", lambda path: {"architecture": "dct"})  # at hand, and quick
    monkeypatch.setattr(worth, "POINTS", 5)
    folder = tmp_path / "measured"
    folder.mkdir()
    io.write_png(folder / "one.png", Image(photo_like(96, 128)))
    train("--steps", 1)
    weights = tmp_path / "weights" / "tiny.safetensors"
    export = ["models", "export", tmp_path / "run", "--out", weights, "--workers", 1, "--store", tmp_path / "store"]
    code, exported, _ = run(*export, "--measure", folder)
    assert code == 0
    measured = exported["measured"]["pictures"]
    assert (measured["folder"], measured["pictures"], len(measured["curve"])) == ("measured", 1, 5)
    assert measured["bd_rate"]["jpeg"]["pictures"] == 1
    assert stored.VARIABLE not in os.environ
    _, shown, _ = run("models", "show", "tiny")
    assert shown["measured"] == exported["measured"]
    _, listed, _ = run("models", "list")
    assert listed["models"][0]["bd_rate"].keys() == {"jpeg", "jpeg2000"}
    code, _, err = run(*export, "--measure", tmp_path / "nowhere")
    assert (code, "nowhere: is not a folder" in err) == (1, True)


def test_what_cannot_be_exported_is_said(train, run, tmp_path):
    code, _, err = run("models", "export", tmp_path / "run")
    assert (code, "there is no checkpoint" in err) == (1, True)
    train("--steps", 1)
    code, _, err = run("models", "export", tmp_path / "run", "--out", tmp_path / "weights.bin")
    assert (code, "safetensors" in err) == (2, True)
    code, _, err = run("models", "export", tmp_path / "run", "--out", tmp_path / "tiny.safetensors")
    assert code == 0
    assert "no finished decay" in err
    assert "--attribution" in err


def test_weights_that_do_not_work_are_told_from_those_that_do(train, run, tmp_path):
    train("--steps", 1)
    weights = tmp_path / "weights" / "mine.safetensors"
    run("models", "export", tmp_path / "run", "--out", weights)
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, _, err = run("models", "verify", "mine")
    assert (code, "digest" in err) == (1, True)
    weights.with_suffix(".json").write_text("{")
    _, listed, _ = run("models", "list")
    assert "not valid JSON" in listed["models"][0]["problem"]
    code, _, err = run("models", "verify", "yours")
    assert (code, "there is mine" in err) == (2, True)


def test_weights_that_are_nothing_but_numbers_do_not_pass(train, run, tmp_path):
    from engine.learned.export import export

    train("--steps", 1)
    state = read_checkpoint(tmp_path / "run")
    for name, what, says in (("synthesis", float("nan"), "finite"), ("", 0.0, "of no use")):
        averaged = {
            key: torch.full_like(tensor, what) if key.startswith(name) else tensor
            for key, tensor in state["averaged"].items()
        }
        averaged["transform.deviation"].fill_(1)
        export(averaged, {"recipe": state["recipe"]}, tmp_path / "bad.safetensors")
        code, _, err = run("models", "verify", tmp_path / "bad.safetensors")
        assert (code, says in err) == (1, True)


def test_files_that_are_larger_than_promised_do_not_pass(train, run, tmp_path, monkeypatch):
    train("--steps", 1)
    run("models", "export", tmp_path / "run", "--out", tmp_path / "tiny.safetensors")
    monkeypatch.setattr("engine.learned.verify._files", lambda *_: 2 * [{"bpp": 9.0, "psnr": 60.0}])
    code, _, err = run("models", "verify", tmp_path / "tiny.safetensors")
    assert (code, "do not keep what the networks promise" in err) == (1, True)


def test_attribution_keeps_what_concerns_the_folder(tmp_path):
    table = tmp_path / "SOURCES.md"
    table.write_text(
        "# Data\nSome words.\n\n| folder | what | licence |\n|---|---|---|\n| `train/` 9 crops | photos | CC0 |\n"
        "| `val/` none in `train/` | photos | CC0 |\n| `lightmaps/train-not/` | maps | MIT |\n"
    )
    manifest = tmp_path / "manifest.json"
    entries = [
        {"file": "train/a.jxl", "source": "Debian:walls", "path": "one.jpg", "licence": "CC0", "author": "Ada"},
        {"file": "train/b.jxl", "source": "Debian:walls", "path": "one.jpg", "licence": "CC0", "author": "Ada"},
        {"file": "train/c.jxl", "source": "https://example.org/x", "path": "two.jpg"},
        {"file": "val/d.jxl", "source": "who/what", "path": "three.jpg"},
    ]
    manifest.write_text(json.dumps(entries))
    text = attribution_text([table, manifest], "train")
    assert "| folder | what | licence |\n|---|---|---|\n| `train/` 9 crops | photos | CC0 |\n\n" in text
    assert "`val/`" not in text
    assert "lightmaps" not in text
    assert "2 photographs from 2 sources:" in text
    assert "Debian:walls, https://tracker.debian.org/pkg/walls\n  one.jpg, Ada, CC0\n\n" in text
    assert "https://example.org/x\n  two.jpg\n" in text
    assert "three" not in text
    table.write_text("All by Ada, CC0.\n")
    assert attribution_text([table], "train").endswith("(folder 'train')\n\nAll by Ada, CC0.\n")


def test_lists_that_are_no_lists_are_named(tmp_path):
    manifest = tmp_path / "manifest.json"
    for text, kind in (("[3]", EngineError), ('[{"file": "val/a", "path": "b"}]', UsageError)):
        manifest.write_text(text)
        with pytest.raises(kind, match=r"manifest\.json"):
            attribution_text([manifest], "train")
    with pytest.raises(EngineError, match=r"none\.txt: cannot be read"):
        attribution_text([tmp_path / "none.txt"], "train")
