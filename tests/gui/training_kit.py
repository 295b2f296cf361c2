"""What the tests of the training window share: lines of logs, and a stand-in for the process that trains."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from gui.training.window import TrainingWindow

# In the place of `ratescope train`: begins or goes on, tells a line, and saves when it is asked to end.
TRAINS = """
import json, signal, sys, time
from pathlib import Path
from engine.files import claimed
out = Path(sys.argv[sys.argv.index("--out") + 1])
if "fail" in out.name:
    sys.exit("ratescope: no pictures there: choose another folder")
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
with claimed(out / "lock", "taken"):
    (out / "words.json").write_text(json.dumps(sys.argv[1:]))
    (out / "checkpoint.pt").touch()
    ends = time.monotonic() + 60
    while not asked and time.monotonic() < ends:
        time.sleep(0.01)
    (out / "saved").touch()
sys.exit(130)
"""


def line(steps: int, cost: float, **changes: object) -> dict[str, object]:
    rates = (0.1, 0.3, 1.0)
    return {
        **{"steps": steps, "seconds": 60.0 * steps, "pixels": steps * 10**6, "cost": cost, "loss": cost, "skipped": 0},
        **{"bd_rate_from_start": cost - 9, "curve": [{"bpp": x, "psnr": 40 + 5 * math.log2(x) - cost} for x in rates]},
        **changes,
    }


def write(path: Path, *lines: object, tail: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as log:
        log.write("".join(json.dumps(each) + "\n" for each in lines) + tail)


def lines_of(window: TrainingWindow) -> dict[str, list[tuple[float, float]]]:
    return {branch.name: list(branch.points) for branch, _, _ in window.progress._items}


def stand_in(words: Sequence[str]) -> list[str]:
    """In the place of `gui.batch.child.command`."""
    return [sys.executable, "-c", TRAINS, *words]
