"""What the batch dialog asks for becomes the command that does it, or a word about what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.batch.pictures import MARK
from engine.cli import Parser
from engine.cli import batch as command
from gui.batch.plan import BatchLane, BatchPlan, beside, count_pictures


@pytest.fixture
def plan(tmp_path: Path) -> BatchPlan:
    (tmp_path / "in").mkdir()
    lanes = (BatchLane("webp", {"method": 6}), BatchLane("jpeg", {"chroma": "4:4:4", "progressive": True}))
    return BatchPlan(str(tmp_path / "in"), str(tmp_path / "out"), lanes, "bpp", "0.25, 0.5;1", workers=2)


def parsed(plan: BatchPlan) -> command.Job:
    parser = Parser()
    command.configure(parser)
    return command.job_of(parser.parse_args(plan.words()[1:]))


def test_the_command_line_says_what_the_dialog_says(plan: BatchPlan) -> None:
    assert plan.fault() == ""
    job = parsed(replace(plan, save_encoded=True, passports=True, metrics=("psnr", "flip")))
    assert (str(job.folder), str(job.out)) == (plan.folder, plan.out)
    assert dict(job.codecs) == {"webp": {"method": 6}, "jpeg": {"chroma": "4:4:4"}}
    assert [goal.value for goal in job.goals] == [0.25, 0.5, 1.0]
    assert job.metrics == ("psnr", "flip")
    assert (job.save_encoded, job.save_decoded, job.passports) == (True, False, True)


def test_sizes_are_typed_in_kilobytes(plan: BatchPlan) -> None:
    job = parsed(replace(plan, kind="bytes", targets="20, 1.5 MB".replace(" MB", "MB")))
    assert [(goal.kind, goal.value) for goal in job.goals] == [("bytes", 20 * 1024), ("bytes", 1.5 * 1024**2)]


def test_a_quality_of_zero_or_less_is_no_option_of_the_command_line(plan: BatchPlan) -> None:
    job = parsed(replace(plan, kind="quality", targets="-0, 30", lanes=(BatchLane("avif"),)))
    assert [goal.value for goal in job.goals] == [0, 30]


def test_a_cluster_takes_the_place_of_processes(plan: BatchPlan) -> None:
    words = replace(plan, scheduler="tcp://host:8786").words()
    assert words[-2:] == ["--scheduler", "tcp://host:8786"]
    assert "--workers" not in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folder": ""}, "Choose the folder"),
        ({"folder": "/no/such/folder"}, "There is no folder"),
        ({"lanes": ()}, "Tick a codec"),
        ({"targets": ""}, "0.25, 0.5, 1"),
        ({"targets": "0.5, much"}, "0.25, 0.5, 1"),
        ({"targets": "-1"}, "0.25, 0.5, 1"),
        ({"kind": "quality", "targets": "nan"}, "30, 60, 90"),
        ({"out": ""}, "for the results"),
    ],
)
def test_what_is_missing_is_said(plan: BatchPlan, change: dict, words: str) -> None:
    assert words in replace(plan, **change).fault()


def test_results_get_a_folder_of_their_own(plan: BatchPlan) -> None:
    assert "of their own" in replace(plan, out=plan.folder).fault()
    Path(plan.out).mkdir()
    assert plan.fault() == ""
    (Path(plan.out) / "letter.txt").write_text("dear")
    assert "other files" in plan.fault()


def test_what_was_begun_is_resumed(plan: BatchPlan) -> None:
    assert "--resume" not in plan.words()
    (Path(plan.out) / MARK).mkdir(parents=True)
    assert plan.begun
    assert plan.fault() == ""
    assert "--resume" in plan.words()


def test_a_folder_beside_the_pictures_is_proposed_that_is_not_there_yet(tmp_path: Path) -> None:
    assert beside(str(tmp_path / "in")) == str(tmp_path / "in-batch")
    (tmp_path / "in-batch").mkdir()
    assert beside(str(tmp_path / "in")) == str(tmp_path / "in-batch-2")


def test_pictures_are_counted_as_the_batch_will_find_them(plan: BatchPlan) -> None:
    assert count_pictures(plan) == 0
    (Path(plan.folder) / "a.png").write_bytes(b"")
    (Path(plan.folder) / "b.txt").write_bytes(b"")
    assert count_pictures(plan) == 1
