"""What the fresh process of `engine.passport.fresh` runs: it knows a file, a codec's id and how many threads it has."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

PIXELS, ANSWER = "pixels.npy", "answer.json"


def decode(asked: dict[str, Any]) -> None:
    """Decode the file named in `asked` and leave pixels and answer in the folder where this process was started.

    What goes wrong with the file is an answer too: `error`, one plain line.
    """
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(5)  # it must not slow down what somebody waits for
    data = Path(asked["file"]).read_bytes()
    try:
        answer = _decoded(asked, data)
    except MemoryError:
        raise  # says nothing of the file
    except Exception as error:
        from engine.errors import EngineError

        answer = {"error": error.plain if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"}
    Path(ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _decoded(asked: dict[str, Any], data: bytes) -> dict[str, Any]:
    import numpy as np

    from engine import memory, registry
    from engine.codec import Ctx, Detailed

    memory.set_limit(asked["memory"])
    codec, ctx = registry.codec(asked["codec"]), Ctx(threads=asked["threads"])
    begun = time.perf_counter()
    image = codec.decode(data, ctx)
    seconds = time.perf_counter() - begun
    details = codec.details(data, ctx) if isinstance(codec, Detailed) else {}
    np.save(PIXELS, image.pixels)
    return {
        "symbols": details.get("symbols"),
        "color": image.color.code_points,
        "alpha": str(image.alpha),
        "bits": image.bits,
        "icc": image.icc.hex() if image.icc is not None else None,
        "seconds": seconds,
    }
