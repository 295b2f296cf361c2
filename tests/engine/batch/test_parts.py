"""The parts of a batch that need no workers: the job, the folder's pictures, the records, the time left, kept files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import io, registry
from engine.batch import keeping, work
from engine.batch.job import Goal, Job, difference
from engine.batch.ledger import open_ledger
from engine.batch.pictures import MARK, Picture, find
from engine.batch.results import gather
from engine.batch.timeleft import TimeLeft
from engine.batch.work import DONE, FAILED, Outcome, Terms, Unit, compress, row_of
from engine.errors import EngineError, UsageError
from engine.image import Image
from engine.passport import Passport, Verdict
from tests.pictures import photo_like

HALF, ONE = Goal("bpp", 0.5), Goal("bpp", 1.0)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "pictures"
    folder.mkdir()
    io.write_png(folder / "one.png", Image(photo_like(16, 16)))
    return Job(folder, tmp_path / "out", {"jpeg": {}, "webp": {"method": 2}}, (HALF, ONE))


def begin(job: Job, *, resume: bool = False) -> None:
    with open_ledger(job, resume=resume):
        pass


def test_equal_jobs_do_not_differ(job: Job) -> None:
    job.check()
    assert difference(job.described(), json.loads(json.dumps(job.described()))) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"goals": (HALF,)}, "targets then: 0.5 bpp, 1 bpp; now: 0.5 bpp"),
        ({"goals": (Goal("quality", 0.5), Goal("quality", 1.0))}, "now: quality 0.5, quality 1"),
        ({"codecs": {"jpeg": {}}}, "codecs then: jpeg, webp; now: jpeg"),
        ({"codecs": {"jpeg": {}, "webp": {"method": 6}}}, "settings of webp then"),
        ({"metrics": ("psnr", "ssim")}, "metrics then: psnr; now: psnr, ssim"),
        ({"save_encoded": True}, "encoded files were not kept then, and are to be now"),
        ({"passports": True}, "then without decode passports, now with them"),
    ],
)
def test_another_job_is_refused_in_plain_words(job: Job, change: dict, words: str) -> None:
    begin(job)
    with pytest.raises(UsageError, match="another job was begun here") as caught:
        begin(replace(job, **change), resume=True)
    assert words in str(caught.value)


def test_a_changed_codec_is_another_job(job: Job) -> None:
    now = job.described()
    then = json.loads(json.dumps(now))
    then["codecs"]["jpeg"]["version"] = "libjpeg 6b"
    assert difference(then, now).startswith("jpeg was then libjpeg 6b")


def test_rows_tell_whether_their_file_decodes_elsewhere(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = io.read(job.folder / "one.png")
    jpeg = registry.codec("jpeg")
    unit = Unit("jpeg", jpeg.version(), {}, (Goal("quality", 50),), ("psnr",), passports=True)
    (row,) = compress(loaded, unit, Terms()).rows
    assert row["status"] == DONE and row["passport"] == "bit-exact"

    broken = Passport(Verdict.BROKEN, "the data end too early")
    monkeypatch.setattr(work, "passport_of", lambda *_: broken)
    (row,) = compress(loaded, unit, Terms()).rows
    assert row["status"] == FAILED and row["passport"] == "broken: the data end too early"
    assert "psnr" not in row and "the data end too early" in row["error"]

    def fail(*_: object) -> Passport:
        raise EngineError("no process could be started")

    monkeypatch.setattr(work, "passport_of", fail)
    (row,) = compress(loaded, unit, Terms()).rows
    assert row["status"] == DONE and row["passport"] == "none: no process could be started"


def test_the_table_has_passports_only_where_they_were_asked_for(job: Job) -> None:
    picture = Picture("one.png", job.folder / "one.png", 256, "stamp")
    done = {**row_of("jpeg", HALF, DONE), "bpp": 0.4, "psnr": 30.0, "passport": "close ±1"}
    for wanted in (True, False):
        results = gather(replace(job, passports=wanted), [picture], {"one.png": [done]}, {})
        line = results._line(results.rows[0])
        assert line.get("passport") == ("close ±1" if wanted else None)


def test_a_quality_out_of_range_is_refused_before_anything_is_made(job: Job) -> None:
    with pytest.raises(UsageError, match="quality"):
        replace(job, goals=(Goal("quality", 1000),)).check()


def test_hidden_files_results_and_other_batches_are_no_pictures(job: Job) -> None:
    picture = (job.folder / "one.png").read_bytes()
    for name in (
        ".hidden.png",
        "deep/two.PNG",
        "out/decoded/x.png",
        "older/encoded/y.png",
        ".git/z.png",
        "a/readme.txt",
    ):
        path = job.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    (job.folder / "older" / MARK).mkdir()
    assert [each.name for each in find(job.folder, job.folder / "out")] == ["deep/two.PNG", "one.png"]


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds no picture"):
        find(tmp_path, tmp_path / "out")
    with pytest.raises(EngineError, match="no such folder"):
        find(tmp_path / "none", tmp_path / "out")


def test_results_never_go_where_they_do_not_belong(job: Job) -> None:
    with pytest.raises(UsageError, match="the folder of the pictures"):
        begin(replace(job, out=job.folder / "deep" / ".."), resume=True)
    job.out.mkdir()
    (job.out / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds other files"):
        begin(job, resume=True)
    (job.out / "letter.txt").unlink()
    begin(job)
    with pytest.raises(UsageError, match="holds the results of another run"):
        begin(job)
    begin(job, resume=True)


def test_two_batches_do_not_share_a_folder(job: Job) -> None:
    with open_ledger(job, resume=False), pytest.raises(UsageError, match="another batch is at work"):
        begin(job, resume=True)


def test_a_row_is_there_once_and_only_while_its_file_is_the_same(job: Job) -> None:
    (picture,) = find(job.folder, job.out)
    first, second = row_of("jpeg", HALF, DONE), row_of("jpeg", HALF, FAILED, "later")
    with open_ledger(job, resume=False) as ledger:
        ledger.add(picture, [first])
        ledger.add(picture, [second])
        assert ledger.rows([picture]) == {"one.png": [first]}
        changed = replace(picture, stamp="another")
        assert ledger.rows([changed]) == {"one.png": []}
        assert ledger.outdated([picture]) == 0
        assert ledger.outdated([changed]) == 1


def test_the_time_left_knows_slow_codecs_from_fast_ones() -> None:
    left = TimeLeft()
    for _ in range(10):
        left.expect("slow", 1000)
        left.expect("fast", 1000)
    assert left.seconds() is None
    left.done("slow", 1000, 9.0)
    left.done("fast", 1000, 1.0)
    both = left.seconds(now=left.start + 5.0)  # ten seconds of work in five: two workers
    assert both == pytest.approx(45.0)
    for _ in range(9):
        left.done("slow", 1000, 9.0)
    assert left.seconds(now=left.start + 45.5) == pytest.approx(4.5)


def test_kept_files_lie_in_the_folder_s_own_tree(job: Job) -> None:
    picture = Picture("deep/er/one.png", job.folder / "one.png", 10, "1")
    rows = (row_of("webp", HALF, DONE), row_of("webp", ONE, DONE))
    files = {(0, "encoded"): (b"file", ".webp"), (1, "decoded"): (b"picture", ".png")}
    kept = keeping.save(job, picture, Outcome(rows, files=files))
    assert kept[0]["encoded"] == "encoded/webp/0.5bpp/deep/er/one.png.webp"
    assert (job.out / kept[0]["encoded"]).read_bytes() == b"file"
    assert (job.out / kept[1]["decoded"]).read_bytes() == b"picture"
    assert "encoded" not in kept[1]


def test_a_name_that_grows_too_long_fails_its_row_alone(job: Job) -> None:
    picture = Picture("x" * 250 + ".png", job.folder / "one.png", 10, "1")
    rows = (row_of("webp", HALF, DONE), row_of("webp", ONE, DONE))
    kept = keeping.save(job, picture, Outcome(rows, files={(0, "encoded"): (b"file", ".webp")}))
    assert kept[0]["status"] == FAILED
    assert "too long" in kept[0]["error"]
    assert kept[1]["status"] == DONE


def test_pictures_of_equal_names_but_for_the_suffix_stay_apart(job: Job) -> None:
    io.write_png(job.folder / "one.bmp.png", Image(np.zeros((4, 4, 3), np.uint8)))
    rows = (row_of("webp", HALF, DONE), row_of("webp", ONE, DONE))
    files = {(0, "encoded"): (b"file", ".webp")}
    paths = {keeping.save(job, each, Outcome(rows, files=files))[0]["encoded"] for each in find(job.folder, job.out)}
    assert len(paths) == 2


def test_the_score_of_the_set_is_that_of_all_patches_and_its_sums_are_in_no_table(job: Job) -> None:
    job = replace(job, codecs={"jpeg": {}}, goals=(Goal("quality", 20.0),), metrics=("psnr", "patch_frechet"))
    version = job.versions()["jpeg"]
    rows, pictures = {}, []
    for place, name in enumerate(("one.png", "two.png")):
        pixels = photo_like(70, 90, seed=place)
        io.write_png(job.folder / name, Image(pixels // (1 + place)))
        pictures.append(Picture(name, job.folder / name, 1, "now"))
        unit = Unit("jpeg", version, {}, job.goals, job.metrics)
        rows[name] = list(compress(io.read(job.folder / name), unit, Terms()).rows)
    results = gather(job, pictures, json.loads(json.dumps(rows)), {})
    (of_set,) = results.document["set"]["jpeg"]
    alone = [row["patch_frechet"] for row in results.rows]
    assert of_set["scores"]["patch_frechet"] > 0
    assert of_set["scores"]["patch_frechet"] != pytest.approx(sum(alone) / 2)
    assert not any("gathered" in row for row in results.document["rows"])
    rows["two.png"][0].pop("gathered")  # as if it were of light, which has none
    (of_set,) = gather(job, pictures, rows, {}).document["set"]["jpeg"]
    assert of_set["scores"] == {}
