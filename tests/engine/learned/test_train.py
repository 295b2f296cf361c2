"""Training: it learns, it can stop at any step, it does no harm."""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_model import MODEL, RATE, RECIPE, photographs

from engine.errors import CorruptStream, UsageError
from engine.learned import step as step_module
from engine.learned import trainer as trainer_module
from engine.learned.checkpoint import FILE, read_checkpoint, write_checkpoint
from engine.learned.device import choose
from engine.learned.layers import precision
from engine.learned.model import LatentModel
from engine.learned.progress import Length
from engine.learned.run_folder import LOG, read_run
from engine.learned.step import training_loss
from engine.learned.subject import OfPhotographs
from engine.learned.train import branch_decay, decay_folder, prepare
from engine.learned.trainer import LONGEST_STEP, Trainer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard")


def tiny(folder: Path) -> Trainer:
    return Trainer(RECIPE, OfPhotographs(photographs(), RECIPE, torch.device("cpu")), folder)


def begun(folder: Path) -> Trainer:
    folder.mkdir(exist_ok=True)
    return prepare(tiny, folder)


def trained(folder: Path, steps: int) -> Trainer:
    trainer = begun(folder)
    trainer.train(Length(steps=steps), lambda: False)
    return trainer


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_that_is_resumed_where_its_stage_changes_ends_where_an_unbroken_one_does(tmp_path):
    change = RECIPE.training.static_steps
    trained(tmp_path / "b", change)
    resumed, unbroken = trained(tmp_path / "b", 2).state(), trained(tmp_path / "a", change + 2).state()
    assert same(unbroken["model"], resumed["model"])


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path):
    unbroken = trained(tmp_path / "a", 10).state()
    trained(tmp_path / "b", 3)
    trained(tmp_path / "b", 2)
    resumed = trained(tmp_path / "b", 5).state()
    assert same(unbroken["model"], resumed["model"])
    assert same(unbroken["averaged"], resumed["averaged"])
    assert unbroken["loss"] == resumed["loss"]
    assert unbroken["progress"]["steps"] == resumed["progress"]["steps"] == 10


def test_some_steps_lower_the_loss(tmp_path):
    trained(tmp_path, 60)
    records = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert records[-1]["cost"] < 0.985 * records[0]["cost"]
    assert records[-1]["skipped"] == 0
    assert any((tmp_path / "events").iterdir())


def test_the_transform_joins_in_after_the_static_part(tmp_path):
    trainer = begun(tmp_path)
    start = trainer.model.transform.synthesis_matrix.detach().clone()
    trainer.train(Length(steps=RECIPE.training.static_steps), lambda: False)
    assert torch.equal(trainer.model.transform.synthesis_matrix, start)
    assert trainer.model.synthesis.leave.weight.abs().max() == 0
    trainer.train(Length(steps=3), lambda: False)
    assert not torch.equal(trainer.model.transform.synthesis_matrix, start)
    assert trainer.model.synthesis.leave.weight.abs().max() > 0


def test_a_stop_is_answered_after_the_step_and_saved(tmp_path):
    trainer = begun(tmp_path)
    trainer.train(Length(steps=100), lambda: trainer.progress.steps >= 2)
    assert read_checkpoint(tmp_path)["progress"]["steps"] == 2


def test_time_in_which_the_process_was_suspended_does_not_count(tmp_path, monkeypatch):
    trainer = begun(tmp_path)
    clock = itertools.count(step=3600)
    monkeypatch.setattr("engine.learned.trainer.time.monotonic", lambda: next(clock))
    trainer.train(Length(steps=2), lambda: False)
    assert trainer.progress.seconds == 2 * LONGEST_STEP


def test_a_loss_that_is_not_finite_is_skipped_and_counted(tmp_path):
    trainer = begun(tmp_path)
    trainer._step()
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    loss = sum(parameter.sum() for parameter in trainer.model.parameters()) * math.nan
    assert not trainer.optimiser.step(loss)
    assert trainer.optimiser.skipped == 1
    assert same(before, trainer.model.state_dict())


def test_a_far_out_gradient_is_skipped(tmp_path):
    trainer = begun(tmp_path)
    table = trainer.model.log_gain.table
    assert trainer.optimiser.step(table.sum())
    assert not trainer.optimiser.step(1e3 * table.sum())
    assert trainer.optimiser.step(1.5 * table.sum())


CHILD = """
import sys
from pathlib import Path
import torch
from test_train import begun
from engine.learned import trainer
from engine.learned.progress import Length
torch.set_num_threads(1)
trainer.CHECKPOINT_SECONDS = 0.0
begun(Path(sys.argv[1])).train(Length(), lambda: False)
"""


def killed_at_some_point(folder: Path, seconds: float) -> int:
    """Trains in a process that is killed so long after its first checkpoint; the steps in what it leaves."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    before = read_checkpoint(folder)["progress"]["steps"] if (folder / FILE).exists() else -1
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)], env={**os.environ, "PYTHONPATH": path})
    try:
        while child.poll() is None:
            time.sleep(seconds)
            if (folder / FILE).exists() and read_checkpoint(folder)["progress"]["steps"] > before:
                break
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
    return read_checkpoint(folder)["progress"]["steps"]


def test_a_run_that_is_killed_at_any_point_takes_the_same_steps(tmp_path):
    first = killed_at_some_point(tmp_path / "killed", 0.013)
    second = killed_at_some_point(tmp_path / "killed", 0.037)
    assert second > first >= 0
    end = second + 2
    resumed = trained(tmp_path / "killed", 2).state()
    unbroken = trained(tmp_path / "unbroken", end).state()
    assert resumed["progress"]["steps"] == end
    assert same(unbroken["model"], resumed["model"])
    assert same(unbroken["averaged"], resumed["averaged"])
    records = [json.loads(line) for line in (tmp_path / "killed" / LOG).read_text().splitlines()]
    assert {record["steps"] for record in records} == {0, end}


def test_the_event_files_hold_losses_and_validation_curves_once_for_each_step(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module, "LOG_EVERY", 2)
    trained(tmp_path, 4)
    lost = begun(tmp_path)
    monkeypatch.setattr(lost, "save", lambda: None)  # as if it were killed before it could save
    lost.train(Length(steps=4), lambda: False)
    trained(tmp_path, 6)
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    steps = {name: [event.step for event in events.Scalars(name)] for name in events.Tags()["scalars"]}
    for name in ("loss", "skipped", "gradient_norm", "learning_rate", "megapixels_per_second"):
        assert steps[f"training/{name}"] == [2, 4, 6, 8, 10]
    for name in ("bpp", "hyper_bpp", "psnr", "cost"):
        for rate in range(RATE.points):
            assert steps[f"validation_{name}/rate_{rate}"] == [0, 4, 10]
    assert steps["validation/cost"] == [0, 4, 10]
    run = read_run(tmp_path)
    assert [each.steps for each in run.steps] == [2, 4, 6, 8, 10]
    assert [each.steps for each in run.validations] == [0, 4, 8, 10]  # a log is only added to
    assert run.steps[-1].loss == pytest.approx(events.Scalars("training/loss")[-1].value)
    record = json.loads((tmp_path / LOG).read_text().splitlines()[-1])
    assert events.Scalars("validation_psnr/rate_1")[-1].value == pytest.approx(record["curve"][1]["psnr"])


def test_checkpoints_from_before_they_told_data_and_machine_go_on(tmp_path):
    trained(tmp_path, 2)
    state = read_checkpoint(tmp_path)
    for name in ("data", "machine", "device_random"):
        del state[name]
    write_checkpoint(tmp_path, state)
    assert trained(tmp_path, 1).progress.steps == 3


def test_no_tensor_of_training_is_made_on_a_fixed_device(monkeypatch):
    # Shapes without values know no half precision.
    monkeypatch.setattr(step_module, "precision", lambda device, half: precision(device, half=False))
    model = LatentModel(MODEL, RATE).to("meta")
    loss = training_loss(model, torch.empty(2, 3, 64, 64, device="meta"), torch.empty(2, device="meta"))
    loss.backward()
    assert loss.device.type == "meta"
    assert {parameter.grad.device.type for parameter in model.parameters()} == {"meta"}


def test_a_device_that_is_not_here_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose("auto") == choose("cpu") == torch.device("cpu")
    with pytest.raises(UsageError, match="'cuda' is not usable here; there is cpu"):
        choose("cuda")
    with pytest.raises(UsageError, match="unknown device 'gpu'"):
        choose("gpu")


def test_auto_prefers_cuda_then_mps(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose().type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose().type == "cuda"


def test_the_decay_ends_in_the_arithmetic_of_integers_at_a_low_rate(tmp_path):
    trained(tmp_path, 6)
    (tmp_path / "decay-6").mkdir()
    trainer = branch_decay(tiny, tmp_path, decay_folder(tmp_path, resume=False), Length(steps=4))
    assert trainer.progress.learning_rate(RECIPE) == 1
    trainer.train(Length(), lambda: False)
    assert trainer.model.quantised
    assert trainer.averaged.quantised
    assert trainer.progress.learning_rate(RECIPE) == RECIPE.decay.final
    assert trainer.progress.steps == 10


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, keep):
    trained(tmp_path, 1)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(CorruptStream, match=FILE):
        read_checkpoint(tmp_path)
