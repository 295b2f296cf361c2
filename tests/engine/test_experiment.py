"""Sweeps: every input, codec and point once, failures as rows, resumed from the store."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import experiment
from engine.errors import Cancelled, UsageError
from engine.experiment import Experiment, ExperimentResult, environment
from engine.image import Image
from engine.io import write_png
from engine.jobs import Event
from engine.store import RunStore
from engine.trial import Target, TargetKind


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(11)
    found = {}
    for number, name in enumerate(("a", "b", "c")):
        ramp = np.add.outer(np.arange(64) * (number + 1), np.arange(96))[:, :, None] + np.array([0, 15, 30])
        path = folder / f"{name}.png"
        write_png(path, Image((ramp % 256 + rng.normal(0, 4, (64, 96, 3))).clip(0, 255).astype(np.uint8)))
        found[name] = path
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "store") as store:
        yield store


def targets(*rates: float) -> tuple[Target, ...]:
    return tuple(Target(TargetKind.BPP, rate) for rate in rates)


def test_a_sweep_fills_every_step_and_is_not_repeated(inputs: dict[str, Path], store: RunStore) -> None:
    progress: list[float] = []
    sweep = Experiment(inputs, {"jpeg": {}, "webp": {"method": 0}}, 4, ("psnr", "mse"))
    result = sweep.run(store, workers=2, on_progress=lambda fraction, _name: progress.append(fraction))
    assert result.failures == ()
    assert result.encodes == 3 * 2 * 4
    assert sorted(progress) == progress
    assert (len(progress), progress[-1]) == (6, 1.0)
    for codec, images in result.curves.items():
        assert list(images) == ["a", "b", "c"]
        for steps in images.values():
            assert sorted(steps) == [0, 1, 2, 3]
            rates = [steps[step].bpp for step in range(4)]
            assert rates == sorted(rates)
            assert all(set(trial.scores) == {"psnr", "mse"} for trial in steps.values())
            assert all(trial.key.codec == codec for trial in steps.values())
    settings = [{image: steps[2].settings for image, steps in images.items()} for images in result.curves.values()]
    assert all(each["a"] == each["b"] == each["c"] for each in settings)
    again = sweep.run(store, workers=1)
    assert again.encodes == 0
    assert again.curves == result.curves


def test_a_new_metric_scores_the_stored_files_without_encoding(inputs: dict[str, Path], store: RunStore) -> None:
    first = Experiment(inputs, {"jpeg": {}}, 3).run(store, workers=1)
    more = Experiment(inputs, {"jpeg": {}}, 3, ("psnr", "ssim")).run(store, workers=1)
    assert more.encodes == 0
    old, new = first.curves["jpeg"]["b"][1], more.curves["jpeg"]["b"][1]
    assert set(new.scores) == {"psnr", "ssim"}
    assert new.encode_s == old.encode_s, "a file that was not encoded again keeps its time"
    stored = store.find(new.key)
    assert stored is not None and stored.scores == new.scores
    assert Experiment(inputs, {"jpeg": {}}, 3, ("ssim",)).run(store, workers=1).encodes == 0


def test_targets_are_met_for_every_picture_and_misses_are_rows(inputs: dict[str, Path], store: RunStore) -> None:
    sweep = Experiment(inputs, {"jpeg": {}, "dct": {}}, targets(1.5, 3.0, 0.01))
    result = sweep.run(store, workers=2)
    for images in result.curves.values():
        for steps in images.values():
            assert sorted(steps) == [0, 1]
            assert steps[0].bpp <= 1.5 and steps[1].bpp <= 3.0
            assert "psnr" in steps[0].scores
    assert sorted((each.input, each.codec) for each in result.failures) == [
        (name, codec) for name in "abc" for codec in ("dct", "jpeg")
    ]
    assert all("cannot go below" in each.message for each in result.failures)
    again = sweep.run(store, workers=2)
    for codec, images in again.curves.items():
        for name, steps in images.items():
            assert result.curves[codec][name][0].bpp <= steps[0].bpp <= 1.5
    assert again.encodes <= result.encodes / 4


def test_a_broken_file_is_a_row_and_the_rest_goes_on(inputs: dict[str, Path], store: RunStore, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(inputs["a"].read_bytes()[:200])
    result = Experiment({"x": broken, **inputs}, {"jpeg": {}}, 2).run(store, workers=1)
    assert [(each.input, each.codec) for each in result.failures] == [("x", "")]
    assert str(broken) in result.failures[0].message
    assert list(result.curves["jpeg"]) == ["a", "b", "c"]


def test_a_cancelled_sweep_keeps_what_it_made(inputs: dict[str, Path], store: RunStore) -> None:
    stop = threading.Event()
    sweep = Experiment(inputs, {"jpeg": {}, "webp": {}}, 6)
    with pytest.raises(Cancelled):
        sweep.run(store, workers=1, on_progress=lambda _fraction, _name: stop.set(), cancel=stop.is_set)
    rest = sweep.run(store, workers=1)
    assert 0 < rest.encodes < 3 * 2 * 6


def test_no_more_pictures_are_held_than_keep_the_workers_busy(
    inputs: dict[str, Path], store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, take = [], experiment._Sweep._take

    def counted(sweep: experiment._Sweep, event: Event) -> None:
        held.append(len(sweep.open_jobs))
        take(sweep, event)

    monkeypatch.setattr(experiment._Sweep, "_take", counted)
    many = {f"{name}{copy}": path for name, path in inputs.items() for copy in range(2)}
    result = Experiment(many, {"jpeg": {}}, 1).run(store, workers=1)
    assert max(held) == 2
    assert list(result.curves["jpeg"]) == list(many)


def test_wrong_settings_are_refused_before_any_work(inputs: dict[str, Path], store: RunStore) -> None:
    with pytest.raises(UsageError, match="no setting 'colour'"):
        Experiment(inputs, {"jpeg": {"colour": 1}}, targets(1.0)).run(store, workers=1)
    with pytest.raises(UsageError, match="unknown codec"):
        Experiment(inputs, {"gif": {}}, targets(1.0)).run(store, workers=1)


def test_the_environment_is_json_and_names_what_figures_depend_on(inputs: dict[str, Path], store: RunStore) -> None:
    result: ExperimentResult = Experiment({"a": inputs["a"]}, {"jpeg": {}}, 1).run(store, workers=1)
    facts = json.loads(json.dumps(result.environment))
    assert facts["workers"] == 1
    assert "libjpeg-turbo" in facts["codecs"]["jpeg"]
    assert {"processor", "cores", "threads", "date", "python", "libraries", "ratescope"} <= set(facts)
    assert environment()["codecs"] == {}
