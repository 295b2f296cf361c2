"""A file decoded in a process of its own, which is started for it and ends with it.

The process gets the file and the codec's id, and nothing else: not even a warm worker's libraries are shared with what
encoded it. What it decodes comes back through a folder of temporary files.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import engine
from engine import memory
from engine.codec import Ctx
from engine.codecs import process
from engine.color import ColorSpec
from engine.errors import EngineError
from engine.image import Alpha, Image
from engine.passport.child import ANSWER, PIXELS
from engine.workers import THREAD_VARIABLES

_TIME_LIMIT_S = 600.0
_ROOM = 16 * 2**20  # for what the process writes beside the pixels
_KILLED = 9  # the signal by which a system short of memory ends processes
_ASKED, _FILE = "asked.json", "file"
# The environment is set before anything is imported: libraries look at it once.
_PROGRAM = f"""
import json, os, sys
asked = json.load(open({_ASKED!r}))
os.environ |= asked["environment"]
sys.path[:] = asked["path"]
from engine.passport.child import decode
decode(asked)
"""


@dataclass(frozen=True)
class Fresh:
    """What a fresh process made of a file.

    image: None where it could not be decoded; `error` then says why, in one plain line. symbols: the digest of the
    decoded symbols, where the codec has one. seconds: the decode took, loading of the model included.
    """

    image: Image | None
    symbols: str | None
    error: str
    threads: int
    seconds: float | None = None


def other_threads(threads: int) -> int:
    """Another number of threads than this, so that nothing can hang on the number."""
    return 2 if threads == 1 else 1


def decode_fresh(file: bytes | Path, codec_id: str, threads: int, ctx: Ctx, *, room: int) -> Fresh:
    """Decode `file`, its bytes or where they lie, in a fresh process with so many threads.

    room: bytes that the decoded pixels may take: a file that claims a larger picture than expected is told as such.
    `EngineError` if nothing can be said of the file: the process did not start, was killed, or took ten minutes.
    `Cancelled` ends the process.
    """
    with tempfile.TemporaryDirectory(prefix="ratescope-passport-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if isinstance(file, bytes):
            (folder / _FILE).write_bytes(file)
            file = folder / _FILE
        (folder / _ASKED).write_text(json.dumps(_asked(file.absolute(), codec_id, threads)), encoding="utf-8")
        limit = room + _ROOM + file.stat().st_size
        try:
            process.run([sys.executable, "-P", "-c", _PROGRAM], folder, _TIME_LIMIT_S, limit, ctx)
        except process.Stopped as stopped:
            return Fresh(None, None, _reason(stopped), threads)
        answer = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
        if "error" in answer:
            return Fresh(None, None, answer["error"], threads)
        return Fresh(_image(folder, answer), answer["symbols"], "", threads, answer["seconds"])


def _asked(file: Path, codec_id: str, threads: int) -> dict[str, Any]:
    root = str(Path(engine.__file__).resolve().parent.parent)
    return {
        "file": str(file),
        "codec": codec_id,
        "threads": threads,
        "memory": memory.limit(),
        "environment": dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "path": [root, *(str(Path(each).absolute()) for each in sys.path)],
    }


def _reason(stopped: process.Stopped) -> str:
    """What a process that did not end well says of its file; `EngineError` where that is nothing."""
    crashed = stopped.signal is not None and stopped.signal != _KILLED
    flooded = stopped.by_us and not stopped.timed_out
    if crashed or flooded:
        return f"the fresh process {'crashed: ' if crashed else 'failed: '}{stopped}"
    raise EngineError(f"no fresh process could decode the file: {stopped}")


def _image(folder: Path, answer: dict[str, Any]) -> Image:
    pixels = np.load(folder / PIXELS, allow_pickle=False)
    icc = bytes.fromhex(answer["icc"]) if answer["icc"] is not None else None
    return Image(pixels, ColorSpec(*answer["color"]), Alpha(answer["alpha"]), answer["bits"], icc)
