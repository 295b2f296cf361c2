"""The full check of batches, by hand: many pictures, killed twice and once in a worker; the gain of a second worker.

    python -m tests.heavy.batch PHOTOS [--count 200] [--side 256] [--codecs A,B] [--bpp X,Y] [--speed]

Cuts COUNT crops out of the pictures in PHOTOS, runs a batch over them that nothing disturbs, and one that is killed by
kill -9 twice and loses a worker once; their tables must be equal but for times, each row there once, and nothing
recorded be done twice. --speed compares one worker with two instead; for that the machine must have nothing else to do.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from engine import io
from engine.batch.pictures import MARK
from engine.image import Image

ROOT = Path(__file__).resolve().parents[2]
TIMES = ("encode_s", "decode_s", "busy")


def cut(photos: Path, folder: Path, count: int, side: int) -> None:
    """COUNT crops, in two folders, from places drawn by lot (always the same)."""
    rng = np.random.default_rng(1)
    pictures = [io.read(path).image for path in sorted(photos.rglob("*.png"))]
    (folder / "more").mkdir(parents=True)
    for index in range(count):
        image = pictures[index % len(pictures)]
        y, x = rng.integers(0, image.height - side + 1), rng.integers(0, image.width - side + 1)
        crop = Image(image.pixels[y : y + side, x : x + side].copy(), image.color)
        io.write_png(folder / ("more" if index % 2 else ".") / f"crop{index:03}.png", crop)


def start(folder: Path, out: Path, options: argparse.Namespace, *more: str) -> subprocess.Popen[str]:
    work = ["--codecs", options.codecs, "--bpp", options.bpp, "--progress-json", *more]
    command = [sys.executable, "-m", "engine.cli", "batch", str(folder), "--out", str(out), *work]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def wait_for_rows(process: subprocess.Popen[str], count: int) -> None:
    assert process.stderr is not None
    seen = -1
    while seen < count:
        line = process.stderr.readline()
        if not line:
            raise SystemExit(f"the batch ended early, with {process.wait()}")
        seen += line.startswith("{")


def finish(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate()
    plain = [line for line in err.splitlines() if not line.startswith("{")]
    if process.returncode not in (0, 3):
        raise SystemExit(f"the batch ended with {process.returncode}: {plain}")


def table(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]


def times_taken(out: Path) -> int:
    with sqlite3.connect(out / MARK / "runs.sqlite") as db:
        return db.execute("SELECT COUNT(*) FROM times").fetchone()[0]


def check_kills(folder: Path, base: Path, options: argparse.Namespace) -> None:
    began = time.monotonic()
    finish(start(folder, base / "undisturbed", options))
    rows = table(base / "undisturbed")
    print(f"undisturbed: {len(rows)} rows in {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    out = base / "killed"
    for attempt in range(2):
        process = start(folder, out, options, *(["--resume"] if attempt else []))
        wait_for_rows(process, len(rows) // 4)
        process.kill()
        process.wait()
        print(f"killed with kill -9 at {time.monotonic() - began:.0f} s")
    process = start(folder, out, options, "--resume")
    wait_for_rows(process, len(rows) // 8)
    victim = max(psutil.Process(process.pid).children(recursive=True), key=lambda each: each.memory_info().rss)
    victim.kill()
    print(f"one of its workers killed at {time.monotonic() - began:.0f} s")
    finish(process)
    again = table(out)
    print(f"done: {len(again)} rows in {time.monotonic() - began:.0f} s, three starts in all")
    target = next(name for name in again[0] if name.startswith("target_"))
    keys = {(row["image"], row["codec"], row[target]) for row in again}
    repeated = times_taken(out) - times_taken(base / "undisturbed")
    print(f"every row once: {len(keys) == len(again)}; encodes done twice: {repeated}")
    print(f"the table equals that of the undisturbed run, but for times: {again == rows}")
    if len(keys) != len(again) or again != rows or repeated:
        raise SystemExit("FAILED")


def check_speed(folder: Path, base: Path, options: argparse.Namespace) -> None:
    load = psutil.getloadavg()[0]
    seconds = {}
    for workers in (1, 2, 1, 2):
        began = time.monotonic()
        finish(start(folder, base / f"speed{len(list(base.iterdir()))}", options, "--workers", str(workers)))
        seconds.setdefault(workers, []).append(time.monotonic() - began)
        print(f"{workers} workers: {seconds[workers][-1]:.1f} s")
    ratio = min(seconds[1]) / min(seconds[2])
    print(f"two workers are {ratio:.2f} times one (start-up included; load before: {load:.1f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--codecs", default="dct,wavelet,webp")
    parser.add_argument("--bpp", default="0.25,0.5,1")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ratescope-heavy-") as name:
        folder = Path(name, "pictures")
        cut(options.photos, folder, options.count, options.side)
        (check_speed if options.speed else check_kills)(folder, Path(name), options)


if __name__ == "__main__":
    main()
