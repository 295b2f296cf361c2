"""The command line: every command but the window. Other programs call it; `docs/cli.md` is its contract.

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 a target that cannot be reached, 130 interrupted.
A failure is one line on stderr; RATESCOPE_DEBUG=1 adds the traceback. With --json, stdout holds one document.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from engine import __version__
from engine.cli.console import Console
from engine.errors import EngineError, TargetUnreachable, UsageError

FAILURE, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

COMMANDS = {
    "codecs": "list the codecs, their settings and what they carry",
    "encode": "compress a picture at a quality, a rate, a size or a PSNR",
    "decode": "decompress a file to PNG, OpenEXR or Radiance",
    "info": "say what a compressed file is made of",
    "passport": "decode files in fresh processes, and say whether that is bit-exact",
    "measure": "compare two pictures, by numbers and by a map",
    "lit": "show a lightmap as a game will, flat or on a mesh",
    "interpolate": "show what lies between two pictures, as latents and as pixels",
    "rd": "measure rate-distortion curves over pictures",
    "bdrate": "compare curves by their Bjøntegaard delta",
    "batch": "compress a folder with several codecs, on all cores or a cluster",
    "budget": "fit a set of pictures into so many bytes on disk or in memory",
    "lightmaps": "compare codecs on a folder of lightmaps, gutters left out",
    "presets": "list the presets: what engines choose, by the names that artists know",
    "writeback": "store decoded or encoded maps under their own names in another folder",
    "bench": "time our codecs, coders, metrics and window beside their best peers",
    "train": "train a learned codec, over as many sessions as one likes",
    "models": "list, show, export and verify the weights of learned codecs",
}


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str]) -> int:
    """Run one command; returns its exit code. Nothing but a programmer's mistake in `argv`'s type raises."""
    console = Console(as_json="--json" in argv)
    try:
        return _run(list(argv), console)
    except TargetUnreachable as error:
        return _fail(console, error, UNREACHABLE)
    except UsageError as error:
        return _fail(console, error, USAGE)
    except EngineError as error:
        return _fail(console, error, FAILURE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`| head`). What Python flushes at exit must not complain a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as done:  # argparse after --help and --version
        return int(done.code or 0)
    except MemoryError:
        return _fail(console, EngineError("there is not enough memory for this"), FAILURE)
    except Exception as error:
        hint = "RATESCOPE_DEBUG=1 shows where"
        return _fail(console, EngineError(f"unexpected {type(error).__name__}: {error}", hint=hint), FAILURE)


def _run(argv: list[str], console: Console) -> int:
    top = _top_parser()
    if not argv:
        top.print_help()
        return USAGE
    if argv[0].startswith("-"):
        top.parse_args(argv)
        raise UsageError("name a command first (see ratescope --help)")
    name, rest = argv[0], argv[1:]
    if name not in COMMANDS:
        raise UsageError(f"unknown command '{name}'; known are gui, {', '.join(COMMANDS)}")
    command = importlib.import_module(f"engine.cli.{name}")
    parser = Parser(
        prog=f"ratescope {name}", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.configure(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    answer = command.run(parser.parse_args(rest), console)
    console.answer(answer)
    return answer.code


def _top_parser() -> Parser:
    rows = "\n".join(f"  {name:<11} {text}" for name, text in {"gui": "open the window", **COMMANDS}.items())
    parser = Parser(
        prog="ratescope",
        usage="ratescope COMMAND …",
        description="See what image compression does.",
        epilog=f"commands:\n{rows}\n\n'ratescope COMMAND --help' says more. Every command takes --json.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ratescope {__version__}")
    return parser


def _fail(console: Console, error: EngineError, code: int) -> int:
    if os.environ.get("RATESCOPE_DEBUG"):
        traceback.print_exc()
    console.error(str(error))
    return code
