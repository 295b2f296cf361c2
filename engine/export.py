"""Numbers for other programs: JSON that every parser reads, CSV that every spreadsheet opens."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.trial import Trial, canonical


def json_text(document: Any) -> str:
    """`document` as strict JSON with a final newline; what has no finite value becomes null."""
    return json.dumps(_finite(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV (RFC 4180) under the union of their columns, in order of first appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    sink = io.StringIO()
    writer = csv.DictWriter(sink, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return sink.getvalue()


def trial_rows(image: str, codec: str, trials: Iterable[Trial]) -> list[dict[str, Any]]:
    """One row a trial, by rising rate: image, codec, bytes, both rates, scores, times, settings, passport if any."""
    return [
        {
            "image": image,
            "codec": codec,
            "bytes": trial.size,
            **trial.rates,
            **trial.scores,
            "encode_s": trial.encode_s,
            "decode_s": trial.decode_s,
            "settings": trial.settings,
            **({"passport": trial.passport.cell} if trial.passport is not None else {}),
        }
        for trial in sorted(trials, key=lambda trial: trial.bpp)
    ]


def curve_rows(codecs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The "codecs" of an rd document as rows: every picture's points, then the means over the pictures."""
    rows = []
    for codec, entry in codecs.items():
        for image, points in entry.get("images", {}).items():
            rows += [{"image": image, "codec": codec, **point} for point in points]
    for codec, entry in codecs.items():
        rows += [{"image": "mean", "codec": codec, **point} for point in entry["points"]]
    return rows


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return canonical(value)
    return "" if value is None else value


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
