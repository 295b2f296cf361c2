"""What `ratescope bench` measured, as a document, as a table for a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.bench import Row
from engine.cli.console import markdown, table

_HEAD = ("row", "unit", "encode", "decode", "peer", "its encode", "its decode", "encode ratio", "decode ratio")
_RIGHT = (2, 3, 5, 6, 7, 8)
_SHAKY = 0.25  # spread from which on a row is marked

_OPENING = f"""\
# Benchmarks

Written by `ratescope bench --markdown`; do not edit. A ratio above 1 means that we are faster: encode, then decode.
Figures are medians of at least 9 runs of each side by turns, on one thread, after a first one that does not count.
Times move from machine to machine: compare ratios. `~` marks rows in which the middle half of some side's runs lies
more than {100 * _SHAKY:.0f} % apart, as it does where other work runs meanwhile.
"""


def document(rows: Sequence[Row], environment: dict[str, Any]) -> dict[str, Any]:
    """What `bench --json` prints."""
    return {"rows": [row.to_json() for row in rows], "environment": environment}


def text(rows: Sequence[Row]) -> str:
    """A table, and a line for every row that stands alone."""
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    return "\n".join([table([_HEAD, *(_cells(row, row.name) for row in rows)], right=_RIGHT), *notes])


def page(rows: Sequence[Row], environment: dict[str, Any], command: str) -> str:
    """docs/benchmarks.md."""
    figures = markdown([_HEAD, *(_cells(row, f"`{row.name}`") for row in rows)], right=_RIGHT)
    head = ("row", "work", "ratescope", "peer", "runs")
    settings = [(f"`{row.name}`", row.what, row.settings, _peer_settings(row), str(row.runs)) for row in rows]
    what = f"## What was run\n\n{markdown([head, *settings], right=(4,))}\n"
    return "\n".join([_OPENING, f"{figures}\n", what, _closing(environment, command)])


def _closing(environment: dict[str, Any], command: str) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in environment["libraries"].items())
    machine = f"{environment['processor']} ({environment['machine']}, {environment['cores']} cores)"
    where = f"{machine}, {environment['system']}, Python {environment['python']}"
    when = f"Measured on {environment['date'][:10]} with Ratescope {environment['ratescope']}"
    return f"## Again\n\n    {command}\n\n{when}: {where}; threads: {environment['threads']}; {libraries}.\n"


def _cells(row: Row, name: str) -> tuple[str, ...]:
    ours, theirs = (row.encode, row.decode), (row.peer_encode, row.peer_decode)
    ratios = [f"{ratio:.2f}×" if ratio is not None else "" for ratio in (row.ratio_encode, row.ratio_decode)]
    mark = "~" if row.spread > _SHAKY else ""
    return mark + name, row.unit, *map(_figure, ours), row.peer or "none", *map(_figure, theirs), *ratios


def _peer_settings(row: Row) -> str:
    return f"{row.peer}: {row.peer_settings}" if row.peer else row.note or "none"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"
