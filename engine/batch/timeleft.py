"""How long a batch will take from here, judged by what it has taken so far."""

from __future__ import annotations

import time
from collections import defaultdict


class TimeLeft:
    """Predicts from the seconds that each codec took per byte of picture file.

    Codecs differ a thousandfold in speed and pictures in size, so neither counts of units nor of pictures tell. How
    much runs at once is measured too: seconds of work for each second that passed.
    """

    def __init__(self) -> None:
        self.start = time.monotonic()
        self._waiting: dict[str, float] = defaultdict(float)  # by codec: bytes that are still to be done
        self._done: dict[str, float] = defaultdict(float)
        self._spent: dict[str, float] = defaultdict(float)

    def expect(self, codec: str, size: int) -> None:
        self._waiting[codec] += size

    def forget(self, codec: str, size: int) -> None:
        """It will not be done after all."""
        self._waiting[codec] -= size

    def done(self, codec: str, size: int, seconds: float) -> None:
        self._waiting[codec] -= size
        self._done[codec] += size
        self._spent[codec] += seconds

    def seconds(self, now: float | None = None) -> float | None:
        """Seconds to the end; None before anything is known."""
        spent, done = sum(self._spent.values()), sum(self._done.values())
        if spent <= 0 or done <= 0:
            return None
        typical = spent / done
        work = sum(
            waiting * (self._spent[codec] / self._done[codec] if self._done[codec] else typical)
            for codec, waiting in self._waiting.items()
        )
        elapsed = (time.monotonic() if now is None else now) - self.start
        return max(0.0, elapsed * work / spent)


def spoken(seconds: float) -> str:
    """Seconds as people say them: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
