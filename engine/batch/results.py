"""What a batch gave, as a table, as curves and as a chart: results.csv, results.json, rd.svg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.batch.job import Job
from engine.batch.ledger import Row
from engine.batch.pictures import Picture
from engine.batch.work import DONE, FAILED, OF_SET, UNREACHABLE
from engine.chart import render
from engine.curves import parse_curves
from engine.experiment import environment
from engine.export import csv_text, json_text
from engine.files import atomic_write
from engine.light_sets.measured import set_document
from engine.metrics import metric, metric_ids
from engine.metrics.sets import set_scores
from engine.report import curves_document, rd_chart
from engine.trial import DB_METRICS

TABLE, DOCUMENT, CHART = "results.csv", "results.json", "rd.svg"
_LAST = (
    "bytes",
    "encode_s",
    "decode_s",
    "busy",
    "settings",
    "width",
    "height",
    "status",
    "notes",
    "encoded",
    "decoded",
)


@dataclass(frozen=True)
class Results:
    """The rows of a batch in the order of its pictures, codecs and goals, and what is drawn from them.

    document: what `ratescope batch --json` prints. Each row has "image", "codec", "target_…", "bpp", the scores,
    "status" ("done", "unreachable", "failed") and "error", which says what went wrong.
    """

    job: Job
    rows: tuple[Row, ...]
    document: dict[str, Any]

    @property
    def failed(self) -> int:
        return sum(row["status"] == FAILED for row in self.rows)

    @property
    def unreachable(self) -> int:
        return sum(row["status"] == UNREACHABLE for row in self.rows)

    def write(self) -> None:
        """Write the three files; no chart where there is nothing to draw. `EngineError` if one cannot be written."""
        out = self.job.out
        if any(entry["points"] for entry in self.document["codecs"].values()):
            note = f"Mean over {self.document['inputs']} pictures" if self.document["inputs"] > 1 else ""
            chart = rd_chart(parse_curves(self.document), metric(self._drawn()).info, note=note)
            atomic_write(out / CHART, render(chart, "svg"))
        atomic_write(out / DOCUMENT, json_text(self.document).encode(errors="backslashreplace"))
        atomic_write(out / TABLE, csv_text([self._line(row) for row in self.rows]).encode(errors="backslashreplace"))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were asked for, and those that floating-point pictures got in addition."""
        scored = (name for row in self.rows for name in metric_ids() if name in row)
        return tuple(dict.fromkeys((*self.job.metrics, *scored)))

    def _drawn(self) -> str:
        """The first metric that the means have."""
        points = [point for entry in self.document["codecs"].values() for point in entry["points"]]
        return next((name for name in self.metrics if any(name in point for point in points)), self.metrics[0])

    def _line(self, row: Row) -> dict[str, Any]:
        """A row of the table: the same columns in the same order for every row."""
        passport = ("passport",) if self.job.passports else ()
        columns = ("image", "codec", self.job.goals[0].column, "bpp", *self.metrics, *_LAST, *passport, "error")
        line = {name: row.get(name, "") for name in columns}
        return {**line, "notes": "; ".join(row.get("notes", ()))}


def gather(
    job: Job, pictures: Sequence[Picture], rows: Mapping[str, Sequence[Row]], where: Mapping[str, Any]
) -> Results:
    """All rows, sorted, with their targets. where: what is known of the workers that did the last of them."""
    order = {codec: place for place, codec in enumerate(("", *job.codecs))}
    goals = {str(goal): place for place, goal in enumerate(job.goals)}
    table: list[Row] = []
    points: dict[str, dict[str, dict[int, Row]]] = {codec: {} for codec in job.codecs}
    for picture in pictures:
        for row in sorted(rows[picture.name], key=lambda row: (order[row["codec"]], goals.get(row["goal"], 0))):
            step = goals.get(row["goal"])
            target = {} if step is None else {job.goals[step].column: job.goals[step].value}
            whole = {"image": picture.name, "codec": row["codec"], **target, **row}
            del whole["goal"]
            table.append(whole)
            if row["status"] == DONE and step is not None:
                points[row["codec"]].setdefault(picture.name, {})[step] = _point(whole)
    of_set = _set(job, table)
    for row in table:
        row.pop(OF_SET, None)
    document = {
        "job": job.described(),
        "pictures": len(pictures),
        **curves_document(points, [picture.name for picture in pictures]),
        "set": of_set,
        "rows": table,
        "failed": sum(row["status"] == FAILED for row in table),
        "unreachable": sum(row["status"] == UNREACHABLE for row in table),
        "files": {"table": str(job.out / TABLE), "document": str(job.out / DOCUMENT), "chart": str(job.out / CHART)},
        "environment": {**environment(job.codecs), **where},
    }
    return Results(job, tuple(table), document)


def _set(job: Job, table: Sequence[Row]) -> dict[str, Any]:
    """The pictures as one object: for each codec and goal what all of them take, which came out worst, by dB, and the
    scores of the set, of metrics that have one."""
    found: dict[str, list[dict[str, Any]]] = {codec: [] for codec in job.codecs}
    for codec, goals in found.items():
        for goal in job.goals:
            rows = [row for row in table if row["codec"] == codec and row.get(goal.column) == goal.value]
            done = [{**row, "db": _db(row)} for row in rows if row["status"] == DONE]
            scores = set_scores([row.get(OF_SET, {}) for row in done])
            goals.append({goal.column: goal.value, **set_document(done, "db", higher_is_better=True), "scores": scores})
    return found


def _db(row: Row) -> float | None:
    return next((row[metric] for metric in reversed(DB_METRICS.values()) if row.get(metric) is not None), None)


def _point(row: Row) -> Row:
    names = ("bpp", "vram_bpp", "bytes", *metric_ids(), "encode_s", "decode_s", "busy", "settings")
    targets = {name: value for name, value in row.items() if name.startswith("target_")}
    return {**targets, **{name: row[name] for name in names if name in row}}
