"""What others read of a run of training while it goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.files import claimed, holder
from engine.learned import run_folder
from engine.learned.run_folder import CHECKPOINT, LOCK, LOG, STEPS, WEIGHTS, is_run, read_run, runs_in


def line(steps: int, **changes: Any) -> dict[str, Any]:
    """A line of log.jsonl as the trainer writes it."""
    return {
        **{"steps": steps, "seconds": steps / 2, "pixels": steps * 1000, "static_until": 0, "averaged": 3},
        **{"decay_minutes": None, "decay_steps": None, "decay_from_steps": 0, "decay_from_seconds": 0.0},
        **{"loss": 9.5, "skipped": 1, "cost": 8 - steps / 1000, "bd_rate_from_start": -1.5},
        "curve": [{"bpp": 0.9, "psnr": 38.0}, {"bpp": 0.2, "psnr": 30.0}],
        **changes,
    }


def write(path: Path, *documents: Any, tail: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as log:
        log.write("".join(json.dumps(each) + "\n" for each in documents) + tail)


def test_a_run_tells_its_validations_steps_and_decays(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write(run / LOG, line(0, loss=None, bd_rate_from_start=None), line(100))
    write(run / STEPS, {"steps": 100, "seconds": 50.0, "loss": 9.0, "learning_rate": 1.0, "gradient_norm": None})
    write(run / "decay-100" / LOG, line(150, decay_minutes=1, decay_from_steps=100, decay_from_seconds=50.0))
    (run / "decay-100" / WEIGHTS).touch()
    (run / CHECKPOINT).touch()
    found = read_run(run)
    assert [each.steps for each in found.validations] == [0, 100]
    assert found.validations[0].against_start is None and found.validations[0].loss is None
    assert found.newest is not None
    assert found.newest.curve == ((0.2, 30.0), (0.9, 38.0))
    assert (found.steps[0].loss, found.taken, found.seconds) == (9.0, 100, 50.0)
    assert found.saved is not None and not found.finished
    (decay,) = found.decays
    assert decay.finished
    assert decay.newest is not None and decay.newest.progress.decayed == pytest.approx(25 / 60)


def test_a_half_written_line_is_left_out_until_it_is_whole(tmp_path: Path) -> None:
    whole = json.dumps(line(200))
    write(tmp_path / LOG, line(100), tail=whole[:50])
    assert [each.steps for each in read_run(tmp_path).validations] == [100]
    write(tmp_path / LOG, tail=whole[50:] + "\n")
    assert [each.steps for each in read_run(tmp_path).validations] == [100, 200]


def test_steps_that_a_later_session_took_again_replace_those_of_the_killed_one(tmp_path: Path) -> None:
    write(tmp_path / LOG, line(0), line(100), line(200, cost=1.0), line(150, cost=2.0), line(200, cost=3.0))
    assert [(each.steps, each.cost) for each in read_run(tmp_path).validations] == [
        *((0, 8.0), (100, 7.9)),
        *((150, 2.0), (200, 3.0)),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        *([], "text", 3, {}, {"steps": 1}, line(300, cost="much"), line(300, cost=float("nan"))),
        *(line(-1), line(1.5), line(300, curve=[{"bpp": 1}]), line(300, curve=None), line(300, seconds=None)),
        *(line(300, curve=[1]), line(300, skipped=True), line(300, bd_rate_from_start="x")),
        *(
            {**line(300), "steps": 10**400},
            line(300, pixels=None),
            line(300, decay_minutes="x"),
            line(300, seconds=-(10**30)),
        ),
    ],
    ids=str,
)
def test_lines_that_make_no_sense_are_left_out(tmp_path: Path, wrong: Any) -> None:
    write(tmp_path / LOG, line(100), wrong, line(400))
    write(tmp_path / STEPS, wrong)
    assert [each.steps for each in read_run(tmp_path).validations] == [100, 400]


def test_of_a_long_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / LOG, *(line(steps) for steps in range(100)))
    monkeypatch.setattr(run_folder, "MAX_BYTES", 2000)
    known = [each.steps for each in read_run(tmp_path).validations]
    assert known == list(range(100 - len(known), 100))
    assert 2 <= len(known) <= 7


def test_what_is_no_run_is_empty_and_not_among_runs(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "file").touch()
    write(tmp_path / "old" / LOG, line(1))
    write(tmp_path / "new" / LOG, line(1))
    os.utime(tmp_path / "old" / LOG, (1, 1))
    assert not is_run(tmp_path / "pictures")
    assert [path.name for path in runs_in(tmp_path)] == ["new", "old"]
    assert runs_in(tmp_path / "nowhere") == []
    nothing = read_run(tmp_path / "nowhere")
    assert (nothing.newest, nothing.taken, nothing.saved, nothing.training) == (None, None, None, False)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_who_trains_is_known_while_it_does_and_looking_keeps_nobody_out(tmp_path: Path) -> None:
    assert holder(tmp_path / LOCK) is None
    with claimed(tmp_path / LOCK, "taken"):
        found = read_run(tmp_path)
        assert (found.training, found.process) == (True, os.getpid())
        with pytest.raises(UsageError, match="taken"), claimed(tmp_path / LOCK, "taken"):
            pass
    assert holder(tmp_path / LOCK) is None
    assert not read_run(tmp_path).training


def test_reading_a_run_needs_no_torch(tmp_path: Path) -> None:
    code = "import sys, engine.learned.run_folder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
