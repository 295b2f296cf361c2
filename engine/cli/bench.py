"""Time our codecs, coders, metrics and window beside the best peers at hand, on one thread.

SUITE is one or more of the suites; without one, all of them run, which takes minutes. Figures are medians of at least
9 runs of each side by turns; a ratio above 1 means that we are faster. Peers that are not installed leave their
columns empty, and a note says what to install.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.bench import Row, measure, suites
from engine.cli import bench_page
from engine.cli.console import Answer, Console
from engine.errors import UsageError
from engine.experiment import environment
from engine.files import atomic_write

THREADS = 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(suites()))
    parser.add_argument("--rows", metavar="A,B", help="only the rows whose names begin with one of these")
    parser.add_argument("--markdown", type=Path, metavar="F.md", help="write the page of docs/benchmarks.md, too")


def run(args: argparse.Namespace, console: Console) -> Answer:
    known = suites()
    if unknown := [name for name in args.suites if name not in known]:
        raise UsageError(f"unknown suite '{unknown[0]}'; known are {', '.join(known)}")
    chosen = args.suites or list(known)
    wanted = tuple(args.rows.split(",")) if args.rows else ("",)
    rows: list[Row] = []
    for name in chosen:
        console.progress(f"{name} …")
        for work in known[name]():
            if work.name.startswith(wanted):
                console.progress(f"{name}: {work.name} …")
                rows.append(measure(work))
    if not rows:
        raise UsageError(f"--rows {args.rows}: no row has such a name")
    where = {**environment(), "workers": 0, "threads": THREADS}
    if args.markdown is not None:
        asked = " ".join(["ratescope bench", *args.suites, *(["--rows", args.rows] if args.rows else [])])
        page = bench_page.page(rows, where, f"{asked} --markdown {args.markdown}")
        atomic_write(args.markdown, page.encode())
    return Answer(bench_page.document(rows, where), bench_page.text(rows))
