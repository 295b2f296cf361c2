"""What a command says: its answer on stdout, everything else on stderr."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.export import json_text

_TERMINAL_PAUSE_S, _LOG_PAUSE_S = 0.1, 5.0  # between two reports of progress


@dataclass(frozen=True)
class Answer:
    """What a command found out: the document for --json, the words for people, the exit code."""

    document: dict[str, Any]
    text: str
    code: int = 0


class Console:
    """Where a command talks to. Progress is a line that is rewritten on a terminal, now and then a line elsewhere."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._last = time.monotonic()
        self._open_line = False

    def answer(self, answer: Answer) -> None:
        self._end_line()
        if isinstance(sys.stdout, io.TextIOWrapper):
            # JSON is UTF-8 whatever the terminal speaks; words lose a letter rather than fail. A file name that is
            # no text becomes an escape, which JSON has.
            if self.as_json:
                sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
            else:
                sys.stdout.reconfigure(errors="replace")
        sys.stdout.write(json_text(answer.document) if self.as_json else answer.text.rstrip("\n") + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something that a person should know, in one line."""
        self._end_line()
        print(f"note: {_one_line(text)}", file=sys.stderr, flush=True)

    def error(self, text: str) -> None:
        self._end_line()
        print(f"ratescope: {_one_line(text)}", file=sys.stderr, flush=True)

    def progress(self, text: str) -> None:
        """How far the work is; dropped when the last report is very recent."""
        terminal = sys.stderr.isatty()
        now = time.monotonic()
        if now - self._last < (_TERMINAL_PAUSE_S if terminal else _LOG_PAUSE_S):
            return
        self._last = now
        print(f"\r\x1b[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)
        self._open_line = terminal

    def _end_line(self) -> None:
        if self._open_line:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._open_line = False


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows in aligned columns, two spaces apart; the columns listed in `right` are flushed right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(row))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def markdown(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows as a Markdown table; the first row is its head."""
    rule = ["---:" if i in right else "---" for i in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:]))


def _one_line(text: str) -> str:
    return " ".join(text.split())
