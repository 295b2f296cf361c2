"""`ratescope batch` end to end, on real worker processes: the table, bad input, and whatever kills it."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from engine import io
from engine.batch.pictures import MARK
from engine.cli import main
from engine.curves import read_curves
from engine.image import Image
from tests.pictures import photo_like

ROOT = Path(__file__).resolve().parents[3]
TIMES = ("encode_s", "decode_s", "busy")
WORK = ("--codecs", "jpeg,webp", "--quality", "30,80", "--metrics", "psnr")
COUNT = 24

Run = Callable[..., tuple[int, Any, str]]


def fill(folder: Path, count: int) -> Path:
    """Tiny pictures, two folders deep, one of them broken."""
    (folder / "deep" / "er").mkdir(parents=True)
    for index in range(count):
        name = f"{'deep/er/' if index % 3 else ''}p{index:02}.png"
        io.write_png(folder / name, Image(photo_like(40 + index, 56, seed=index)))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("batch") / "pictures", COUNT)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return fill(tmp_path / "few", 6)


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> Path:
    """The results of a run that nothing disturbed, with every file kept."""
    out, temporary = folder.parent / "undisturbed", folder.parent / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "engine.cli", "batch", str(folder), "--out", str(out), *WORK]
    own = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([*command, "--save-encoded", "--save-decoded"], cwd=ROOT, env=own, check=False, timeout=200)
    assert done.returncode == 1  # for the broken picture
    return out


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, Any, str]:
        code = main(["batch", *map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


def start(folder: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "engine.cli",
        "batch",
        str(folder),
        "--out",
        str(out),
        *WORK,
        "--progress-json",
        *more,
    ]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def wait_for_rows(process: subprocess.Popen[str], count: int) -> None:
    """Wait until `count` rows have been made since the process began."""
    assert process.stderr is not None
    seen = -1  # the first line says how far it was
    while seen < count:
        line = process.stderr.readline()
        assert line, f"it ended with {process.wait()}"
        seen += line.startswith("{")


def table(out: Path) -> list[dict[str, str]]:
    """The rows without what differs between two equal runs: times, and which files were kept."""
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    left_out = (*TIMES, "encoded", "decoded")
    return [{name: value for name, value in row.items() if name not in left_out} for row in rows]


def times_taken(out: Path) -> int:
    with sqlite3.connect(out / MARK / "runs.sqlite") as db:
        (count,) = db.execute("SELECT COUNT(*) FROM times").fetchone()
    db.close()
    return count


def test_a_batch_killed_twice_and_its_worker_once_ends_as_an_undisturbed_one(folder: Path, undisturbed: Path) -> None:
    out = folder.parent / "killed"
    for attempt in range(2):
        process = start(folder, out, *(["--resume"] if attempt else []))
        workers = []
        try:
            wait_for_rows(process, 16)
            workers = psutil.Process(process.pid).children(recursive=True)
        finally:
            process.kill()
            process.wait()
        assert not psutil.wait_procs(workers, timeout=10)[1], "workers outlive the program that started them"
        process.stderr.close()
    last = start(folder, out, "--resume")
    wait_for_rows(last, 4)
    victim = max(psutil.Process(last.pid).children(recursive=True), key=lambda each: each.memory_info().rss)
    victim.kill()
    _, err = last.communicate(timeout=100)
    assert last.returncode == 1, err  # for the broken picture
    rows = table(out)
    keys = [(row["image"], row["codec"], row["target_quality"]) for row in rows]
    assert len(set(keys)) == len(keys) == COUNT * 4 + 1
    assert rows == table(undisturbed)
    assert times_taken(out) == times_taken(undisturbed) == COUNT * 4  # nothing that was recorded was done again
    assert not (out / MARK / "scratch").exists()


def test_results_are_a_table_a_document_and_a_chart(undisturbed: Path) -> None:
    with (undisturbed / "results.csv").open(newline="", encoding="utf-8") as file:
        head, *_ = csv.reader(file)
    assert head[:5] == ["image", "codec", "target_quality", "bpp", "psnr"]
    assert head[-1] == "error"
    assert b"<svg" in (undisturbed / "rd.svg").read_bytes()[:400]
    document = json.loads((undisturbed / "results.json").read_text("utf-8"))
    assert document["inputs"] == COUNT
    assert document["failed"] == 1
    assert len(document["codecs"]["jpeg"]["points"]) == 2
    assert {curve.name for curve in read_curves(undisturbed / "results.json")} == {"jpeg", "webp"}


def test_a_broken_picture_is_one_row_and_stops_nothing(undisturbed: Path) -> None:
    rows = table(undisturbed)
    assert [(row["image"], row["codec"], row["status"]) for row in rows if row["error"]] == [
        ("broken.png", "", "failed")
    ]


def test_kept_files_are_what_was_measured_in_the_folder_s_own_tree(folder: Path, undisturbed: Path) -> None:
    with (undisturbed / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["error"]]
    for row in rows[::7]:
        encoded, decoded = undisturbed / row["encoded"], undisturbed / row["decoded"]
        assert encoded.stat().st_size == int(row["bytes"])
        assert encoded.parent.relative_to(undisturbed / "encoded" / row["codec"]).parts[1:] == tuple(
            row["image"].split("/")[:-1]
        )
        again = io.read(encoded).image
        assert np.array_equal(again.pixels, io.read(decoded).image.pixels)
        original = io.read(folder / row["image"]).image.pixels
        error = np.mean((original.astype(float) - again.pixels) ** 2)
        assert float(row["psnr"]) == pytest.approx(10 * np.log10(255**2 / error), abs=1e-6)


def test_originals_are_not_touched_by_a_batch_within_their_folder(tmp_path: Path, run: Run) -> None:
    io.write_png(tmp_path / "one.png", Image(photo_like(40, 56)))
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    arguments = (tmp_path, "--out", tmp_path / "out", *WORK, "--save-decoded", "--workers", 1)
    code, answer, _ = run(*arguments)
    assert (code, answer["pictures"]) == (0, 1)
    code, answer, _ = run(*arguments, "--resume")
    assert (code, answer["pictures"]) == (0, 1)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert {path.name for path in tmp_path.iterdir()} == {"one.png", "out"}


def test_a_rate_out_of_reach_is_a_row_that_says_so(tmp_path: Path, run: Run) -> None:
    (tmp_path / "in").mkdir()
    io.write_png(tmp_path / "in" / "one.png", Image(photo_like(64, 64)))
    code, answer, _ = run(
        tmp_path / "in", "--out", tmp_path / "out", "--codecs", "jpeg,dct", "--bpp", "0.01,3", "--workers", 1
    )
    assert code == 3
    rows = {(row["codec"], row["target_bpp"]): row for row in answer["rows"]}
    for codec in ("jpeg", "dct"):
        assert rows[codec, 0.01]["status"] == "unreachable"
        assert "cannot go below" in rows[codec, 0.01]["error"]
        assert "bpp" not in rows[codec, 0.01]
        assert rows[codec, 3.0]["bpp"] <= 3.0


def test_ctrl_c_ends_everything_at_once_and_the_rest_can_follow(few: Path, tmp_path: Path) -> None:
    process = start(few, tmp_path / "out")
    wait_for_rows(process, 1)
    children = psutil.Process(process.pid).children(recursive=True)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 20
    assert not psutil.wait_procs(children, timeout=10)[1]
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "results.csv").exists()
    assert main(["batch", str(few), "--out", str(tmp_path / "out"), *WORK, "--resume", "--workers", "1"]) == 1
    assert len(table(tmp_path / "out")) == 6 * 4 + 1


def test_nobody_else_can_speak_to_the_workers(tmp_path: Path) -> None:
    from distributed import Client

    from engine.batch.cluster import pool

    with pool(1, None, {}, tmp_path / "scratch") as crew:
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        ports = [each.laddr for one in processes for each in one.net_connections() if each.status == psutil.CONN_LISTEN]
        assert len(ports) >= 2
        assert {port.ip for port in ports} == {"127.0.0.1"}
        address = crew.client.scheduler.address
        with pytest.raises(OSError), Client(address.replace("tls://", "tcp://"), timeout=2, set_as_default=False):
            pass


def test_a_scheduler_that_is_given_does_the_same(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=None
        ) as there,
    ):
        address = there.scheduler_address
        assert main(["batch", str(folder), "--out", str(tmp_path / "out"), *WORK, "--scheduler", address]) == 1
    assert table(tmp_path / "out") == table(undisturbed)


def test_a_scheduler_that_is_not_there_is_said(folder: Path, tmp_path: Path, run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.batch.cluster._CONNECT_S", 0.5)
    code, _, err = run(folder, "--out", tmp_path / "out", *WORK, "--scheduler", "tcp://127.0.0.1:9")
    assert code == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--codecs", "jpeg", "--bpp", "0"), "above 0"),
        (("--codecs", "jpeg", "--bpp", "low"), "write numbers"),
        (("--codecs", "jpeg", "--quality", "1000"), "quality"),
        (("--codecs", "none", "--bpp", "1"), "unknown codec"),
        (("--codecs", "jpeg", "--bpp", "1", "--psnr", "30"), "not allowed with"),
        (("--codecs", "jpeg"), "required"),
        (("--codecs", "jpeg", "--bpp", "1", "--workers", "0"), "whole number"),
        (("--codecs", "jpeg", "--bpp", "1", "--scheduler", "host"), "tcp://host:8786"),
    ],
)
def test_wrong_usage_is_one_line_and_makes_nothing(
    folder: Path, tmp_path: Path, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    code, answer, err = run(folder, "--out", tmp_path / "out", *arguments)
    assert (code, answer) == (2, None)
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_said_and_makes_nothing(tmp_path: Path, run: Run) -> None:
    code, _, err = run(tmp_path / "none", "--out", tmp_path / "out", *WORK)
    assert (code, err) == (1, f"ratescope: {tmp_path / 'none'}: no such folder\n")
    assert not (tmp_path / "out").exists()


def test_progress_lines_tell_rows_and_survive_their_reader(few: Path, tmp_path: Path) -> None:
    process = start(few, tmp_path / "out", "--workers", "1")
    wait_for_rows(process, 2)
    assert process.stderr is not None
    line = json.loads(process.stderr.readline())
    assert set(line) == {"done", "total", "failed", "left_s", "row"}
    assert line["row"]["image"]
    process.stderr.close()  # the window that reads them has crashed
    assert process.wait(timeout=100) == 1
    assert len(table(tmp_path / "out")) == 6 * 4 + 1


def test_a_batch_leaves_nothing_among_the_temporary_files(undisturbed: Path) -> None:
    assert list((undisturbed.parent / "temporary").iterdir()) == []
    assert {path.name for path in (undisturbed / MARK).iterdir()} == {"lock", "runs.sqlite", "workers.log"}
