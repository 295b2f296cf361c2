"""What is painted on a picture, as a session file has it: the size of the map, and its cells packed, in Base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from engine.container import MAX_PIXELS
from engine.errors import EngineError
from engine.importance import CELL, Importance, pack, unpack

MAX_CELLS = 2 * MAX_PIXELS // CELL**2  # with those that are cut by the edge


def json_of(importance: Importance | None) -> dict[str, Any]:
    """As JSON values; empty for none."""
    if importance is None:
        return {}
    rows, columns = importance.steps.shape
    return {"rows": rows, "columns": columns, "cells": base64.b64encode(pack(importance)).decode()}


def region_of(given: Mapping[str, Any], remarks: list[str]) -> Importance | None:
    """From such values; None where there are none. What is refused adds to `remarks`."""
    if not given:
        return None
    rows, columns, cells = (given.get(name) for name in ("rows", "columns", "cells"))
    try:
        if type(rows) is not int or type(columns) is not int or min(rows, columns) < 1 or rows * columns > MAX_CELLS:
            raise ValueError("its size makes no sense")
        if not isinstance(cells, str):
            raise ValueError("its cells are no text")
        return unpack(base64.b64decode(cells, validate=True), rows * CELL, columns * CELL)
    except (ValueError, EngineError) as error:
        remarks.append(f"region: {error}")
        return None
