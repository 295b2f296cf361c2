"""The `ratescope` command: the window for `gui`, file names or nothing; every other command goes to `engine.cli`.

Qt is not imported before it is certain that it is wanted and will not abort for want of a library.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine import cli
from engine.errors import EngineError, UsageError
from gui import bench, probe

FAILURE, USAGE = 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ratescope` with these arguments (by default the process's own); returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not _wants_window(arguments):
        if arguments[:1] == ["bench"]:
            bench.offer_suite()
        return cli.main(arguments)
    try:
        return _open_window(arguments[1:] if arguments[:1] == ["gui"] else arguments)
    except UsageError as error:
        return _fail(error, USAGE)
    except EngineError as error:
        return _fail(error, FAILURE)
    except SystemExit as done:  # argparse after --help
        return int(done.code or 0)


def parser() -> argparse.ArgumentParser:
    """The options of the window; `gui.app.run` gets what it parses."""
    options = cli.Parser(prog="ratescope gui", description="Open the workbench.")
    options.add_argument("files", nargs="*", type=Path, metavar="FILE", help="pictures, or folders of pictures")
    options.add_argument("--codecs", type=_ids, metavar="A,B", help="codecs to compare, in this order")
    options.add_argument("--bpp", type=_rate, metavar="X", help="rate that all codecs are driven to, in bits per pixel")
    options.add_argument("--session", type=Path, metavar="F", help="a saved session to open (FILEs are added to it)")
    options.add_argument(
        "--screenshot", type=Path, metavar="OUT.png", help="draw offscreen, save a picture and OUT.json, and exit"
    )
    return options


def _wants_window(arguments: list[str]) -> bool:
    first = arguments[0] if arguments else "gui"
    if first in cli.COMMANDS or first in ("-h", "--help", "--version"):
        return False
    # Neither a command, nor an option, nor there: more likely a mistyped command than a file.
    return first == "gui" or first.startswith("-") or _looks_like_a_file(first)


def _looks_like_a_file(argument: str) -> bool:
    return Path(argument).exists() or any(mark in argument for mark in "./\\")


def _open_window(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    if options.screenshot is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if not probe.has_display():
        raise EngineError(
            "there is no display to open a window on", hint="--screenshot OUT.png draws the window into a file"
        )
    missing = probe.missing_for_qt(os.environ.get("QT_QPA_PLATFORM", ""))
    if missing:
        raise EngineError(probe.advice(missing))
    from gui.app import run

    return run(options)


def _ids(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a rate above 0")
    return rate


def _fail(error: EngineError, code: int) -> int:
    print(f"ratescope: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
