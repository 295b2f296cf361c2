"""Training: it learns, it can stop at any step, it does no harm."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image as Pillow
from tiny_model import RECIPE, photographs, picture

from engine.errors import CorruptStream, UsageError
from engine.learned.checkpoint import FILE, read_checkpoint
from engine.learned.export import load_model
from engine.learned.progress import Length
from engine.learned.recipe import Recipe
from engine.learned.train import WEIGHTS, branch_decay, main, prepare
from engine.learned.trainer import LONGEST_STEP, Trainer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard")


def trained(folder: Path, steps: int, *, resume: bool = False, recipe: Recipe = RECIPE) -> Trainer:
    trainer = prepare(recipe, photographs(), folder, resume=resume, init=None)
    trainer.train(Length(steps=steps), lambda: False)
    return trainer


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path):
    unbroken = trained(tmp_path / "a", 10).state()
    trained(tmp_path / "b", 3)
    trained(tmp_path / "b", 2, resume=True)
    resumed = trained(tmp_path / "b", 5, resume=True).state()
    assert same(unbroken["model"], resumed["model"])
    assert same(unbroken["averaged"], resumed["averaged"])
    assert unbroken["loss"] == resumed["loss"]
    assert unbroken["progress"]["steps"] == resumed["progress"]["steps"] == 10


def test_some_steps_lower_the_loss(tmp_path):
    trained(tmp_path, 60)
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert records[-1]["cost"] < 0.985 * records[0]["cost"]
    assert records[-1]["skipped"] == 0
    assert any((tmp_path / "events").iterdir())


def test_the_transform_joins_in_after_the_static_part(tmp_path):
    trainer = prepare(RECIPE, photographs(), tmp_path, resume=False, init=None)
    start = trainer.model.transform.synthesis_matrix.detach().clone()
    trainer.train(Length(steps=RECIPE.training.static_steps), lambda: False)
    assert torch.equal(trainer.model.transform.synthesis_matrix, start)
    assert trainer.model.synthesis.leave.weight.abs().max() == 0
    trainer.train(Length(steps=3), lambda: False)
    assert not torch.equal(trainer.model.transform.synthesis_matrix, start)
    assert trainer.model.synthesis.leave.weight.abs().max() > 0


def test_a_stop_is_answered_after_the_step_and_saved(tmp_path):
    trainer = prepare(RECIPE, photographs(), tmp_path, resume=False, init=None)
    trainer.train(Length(steps=100), lambda: trainer.progress.steps >= 2)
    assert read_checkpoint(tmp_path)["progress"]["steps"] == 2


def test_time_in_which_the_process_was_suspended_does_not_count(tmp_path, monkeypatch):
    trainer = prepare(RECIPE, photographs(), tmp_path, resume=False, init=None)
    clock = itertools.count(step=3600)
    monkeypatch.setattr("engine.learned.trainer.time.monotonic", lambda: next(clock))
    trainer.train(Length(steps=2), lambda: False)
    assert trainer.progress.seconds == 2 * LONGEST_STEP


def test_a_loss_that_is_not_finite_is_skipped_and_counted(tmp_path):
    trainer = prepare(RECIPE, photographs(), tmp_path, resume=False, init=None)
    trainer._step()
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    loss = sum(parameter.sum() for parameter in trainer.model.parameters()) * math.nan
    assert not trainer.optimiser.step(loss, 1.0)
    assert trainer.optimiser.skipped == 1
    assert same(before, trainer.model.state_dict())


def test_a_far_out_gradient_is_skipped(tmp_path):
    trainer = prepare(RECIPE, photographs(), tmp_path, resume=False, init=None)
    table = trainer.model.log_gain.table
    assert trainer.optimiser.step(table.sum(), 1.0)
    assert not trainer.optimiser.step(1e3 * table.sum(), 1.0)
    assert trainer.optimiser.step(1.5 * table.sum(), 1.0)


def test_a_decay_leaves_the_run_as_it_was_and_exports_its_weights(tmp_path):
    run, data = tmp_path / "run", tmp_path / "data"
    data.mkdir()
    for seed in range(40):
        Pillow.fromarray(picture(seed)).save(data / f"{seed}.png")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "[model]\nchannels = 24\nslices = [6, 18]\nhyper_channels = 4\nhyper_width = 8\ncontext_width = 8\n"
        "anchor_width = 8\nsynthesis_widths = [8, 8, 8]\nsynthesis_blocks = [1, 1, 1]\n"
        "[training]\nbatch = 2\npatch = 64\nstatic_steps = 2\n[decay]\nbatch = 2\npatch = 64\n"
    )
    command = [str(recipe), "--data", str(data), "--out", str(run), "--threads", "1"]
    assert main([*command, "--steps", "4"]) == 0
    before = (run / FILE).read_bytes()
    assert main([*command, "--decay-steps", "4", "--steps", "2"]) == 0
    assert main([*command, "--decay-steps", "4", "--resume"]) == 0
    assert (run / FILE).read_bytes() == before
    state = read_checkpoint(run / "decay-4")
    assert state["progress"]["steps"] == 8
    model = load_model(run / "decay-4" / WEIGHTS)
    for name, tensor in model.state_dict().items():
        assert torch.allclose(tensor, state["averaged"][name], atol=1e-3, rtol=1e-3)


def test_the_decay_ends_in_the_arithmetic_of_integers_at_a_low_rate(tmp_path):
    trained(tmp_path, 6)
    trainer = branch_decay(RECIPE, photographs(), tmp_path, Length(steps=4), resume=False)
    assert trainer.progress.learning_rate(RECIPE) == 1
    trainer.train(Length(), lambda: False)
    assert trainer.model.quantised
    assert trainer.averaged.quantised
    assert trainer.progress.learning_rate(RECIPE) == RECIPE.decay.final
    assert trainer.progress.steps == 10


def test_a_run_is_not_overwritten_by_mistake(tmp_path):
    trained(tmp_path, 1)
    with pytest.raises(UsageError, match="--resume"):
        prepare(RECIPE, photographs(), tmp_path, resume=False, init=None)


def test_another_architecture_cannot_continue_a_run(tmp_path):
    trained(tmp_path, 1)
    other = replace(RECIPE, model=replace(RECIPE.model, hyper_width=16))
    with pytest.raises(UsageError, match="model"):
        prepare(other, photographs(), tmp_path, resume=True, init=None)


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, keep):
    trained(tmp_path, 1)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(CorruptStream, match=FILE):
        read_checkpoint(tmp_path)
