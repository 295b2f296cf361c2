"""The full check of damaged files, by hand: many thousands of them read in processes of bounded memory and time.

    python -m tests.heavy.damaged [--cases 50000] [--seed 1] [--kinds exr,ktx2] [--keep DIR]

Every file of `tests.damaged.handmade`, then CASES mutants of whole files. A finding is a crash, a read that takes more
than TIME seconds of the processor or never ends, more memory than the limit allows, an exception that is no
`EngineError`, samples that are not finite, and anything printed. Findings are listed, and kept in DIR.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import itertools
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from engine import io, memory
from engine.errors import EngineError
from tests.damaged.handmade import handmade
from tests.damaged.mutations import mutant
from tests.damaged.seeds import seeds

ROOT = Path(__file__).resolve().parents[2]
SHARES = {"exr": 9, "ktx2": 3, "radiance": 3, "dds": 2, "tiff": 3, "png": 1, "jxl": 1}
LIMIT = 256 << 20  # bytes that pictures may take
SLACK = 96 << 20  # what a library may take beside them
ROOM = 1 << 30  # of address space, beyond what the libraries have when they are loaded
TIME = 4.0  # seconds of the processor for small files
PATIENCE = 90.0  # seconds by the clock, on a machine that others use too


class Cases:
    """Damaged files by name: "handmade:NAME" or "KIND:SEED"."""

    def __init__(self) -> None:
        self._seeds, self._handmade = seeds(), handmade()

    def data(self, case: str) -> bytes:
        kind, _, rest = case.partition(":")
        if kind == "handmade":
            return self._handmade[rest]
        rng = np.random.default_rng([*SHARES].index(kind) + 16 * int(rest))
        files = self._seeds[kind]
        return mutant(files[rng.integers(len(files))], files, rng)

    def names(self, count: int, first: int, kinds: list[str]) -> Iterator[str]:
        yield from (f"handmade:{name}" for name in self._handmade)
        turn = [kind for kind in kinds for _ in range(SHARES[kind])]
        yield from (
            f"{kind}:{first + number}" for number, kind in zip(range(count), itertools.cycle(turn), strict=False)
        )


# --- The process that reads -----------------------------------------------------------------------------------------


def serve() -> None:
    """Read cases named on standard input; say "ok", "refused …" or a finding of each."""
    flush = ctypes.CDLL(None).fflush  # of what C prints
    out = os.fdopen(os.dup(1), "w", buffering=1)
    said = os.open(os.environ["DAMAGED_SAID"], os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    cases = Cases()
    for name in ("exr", "ktx2", "radiance", "tiff", "png", "jxl"):  # loads the libraries
        io.load(cases._seeds[name][0], Path("warm"))
    os.dup2(said, 1)
    os.dup2(said, 2)
    room = psutil.Process().memory_info().vms + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    print("ready", file=out)
    for line in sys.stdin:
        case = line.rstrip("\n")
        data = cases.data(case)
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak
        before, start = _kib("VmRSS"), time.process_time()
        verdict = _verdict(data)
        spent, grown = time.process_time() - start, 1024 * (_kib("VmHWM") - before)
        if spent > TIME:
            verdict = f"SLOW {spent:.1f} s, {verdict}"
        if grown > LIMIT + SLACK:
            verdict = f"MEMORY {memory.size_text(grown)}, {verdict}"
        flush(None)
        if os.fstat(said).st_size:
            os.lseek(said, 0, os.SEEK_SET)
            verdict = f"PRINTS {os.read(said, 200)!r}, {verdict}"
            os.ftruncate(said, 0)
        print(verdict.replace("\n", " "), file=out)


def _verdict(data: bytes) -> str:
    try:
        image = io.load(data, Path("damaged")).image
    except EngineError as error:
        return f"{'MEMORY' if isinstance(error.__cause__, MemoryError) else 'refused'} {error}"
    except BaseException as error:  # whatever it is, it is a finding
        return f"WRONG {type(error).__name__}: {error}"
    return "ok" if not image.is_float or np.isfinite(image.pixels).all() else "WRONG samples that are not finite"


def _kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


# --- The process that watches ---------------------------------------------------------------------------------------


class Reader:
    """A process that reads, started anew when it has died."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        said = f"/tmp/damaged-{os.getpid()}.txt"
        environment = {**os.environ, memory.VARIABLE: str(LIMIT), "DAMAGED_SAID": said, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.heavy.damaged", "--serve"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
        if self._line(PATIENCE) != "ready":
            raise SystemExit("the reading process does not start")

    def read(self, case: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        found = self._line(PATIENCE)
        if found:
            return found
        status = self._process.poll()
        if found is None and status is None:
            self._process.kill()
            verdict = f"HANGS for more than {PATIENCE:.0f} s"
        else:
            status = self._process.wait()
            verdict = f"CRASHES with {signal.Signals(-status).name if status < 0 else status}"
        self._process.wait()
        self._start()
        return verdict

    def _line(self, patience: float) -> str | None:
        """The next line, "" at the end, None if none comes."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        return self._process.stdout.readline().rstrip("\n") if ready else None


def watch(options: argparse.Namespace) -> int:
    cases, reader = Cases(), Reader()
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    findings = 0
    started = time.monotonic()
    for number, case in enumerate(cases.names(options.cases, options.seed * 10_000_000, options.kinds.split(",")), 1):
        verdict = reader.read(case)
        word = verdict.split()[0]
        counts[case.partition(":")[0]][word] += 1
        if word not in ("ok", "refused"):
            findings += 1
            print(f"{case}: {verdict[:300]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{findings:04}-{word.lower()}").write_bytes(cases.data(case))
        if number % 5000 == 0:
            print(f"{number} files, {findings} findings, {time.monotonic() - started:.0f} s", file=sys.stderr)
    for kind, counted in counts.items():
        print(f"{kind}: {counted.total()} files, {', '.join(f'{n} {word}' for word, n in counted.most_common())}")
    print(f"{findings} findings in {sum(c.total() for c in counts.values())} files")
    return 1 if findings else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=50_000, help="mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(SHARES))
    parser.add_argument("--keep", type=Path, help="folder for the files of findings")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    return watch(options)


if __name__ == "__main__":
    raise SystemExit(main())
