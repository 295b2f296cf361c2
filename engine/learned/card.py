"""Model cards: what weights are, in JSON beside them. Read and written without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import CorruptStream, EngineError
from engine.files import atomic_write
from engine.learned.published.architecture import ARCHITECTURES as PUBLISHED
from engine.learned.recipe import FILTERS, LIGHT, PHOTOGRAPHS, ZOO

ARCHITECTURES = (PHOTOGRAPHS, LIGHT, FILTERS, *ZOO, *PUBLISHED)  # by the codecs that use them, or of imported models
LICENCE = "Apache-2.0"
MAX_BYTES = 4 << 20


def card_path(weights: Path) -> Path:
    return weights.with_suffix(".json")


def attribution_path(weights: Path) -> Path:
    """Where it is said whose pictures the weights were trained on."""
    return weights.with_suffix(".attribution.txt")


def load_card(path: Path) -> dict[str, Any]:
    """The card of the weights in `path`. Raises an `EngineError` that names the file."""
    card = card_path(path)
    try:
        if card.stat().st_size > MAX_BYTES:
            raise CorruptStream("is too large for a card", path=card)
        content = json.loads(card.read_text(encoding="utf-8"))
    except OSError as error:
        raise EngineError("the card of these weights cannot be read", path=card) from error
    except (ValueError, RecursionError) as error:
        raise CorruptStream(f"is not valid JSON: {error}", path=card) from error
    if not isinstance(content, dict) or content.get("architecture") not in ARCHITECTURES:
        raise CorruptStream(f"is not the card of a model for {' or '.join(ARCHITECTURES)}", path=card)
    return content


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write the card of the weights in `path`."""
    atomic_write(card_path(path), (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())


def commands(architecture: str, training: Mapping[str, Any]) -> list[str]:
    """What makes weights like these, by the steps that theirs took: a run, and the decay that branched off it."""
    train = f"ratescope train --arch {architecture} --data DIR --out RUN"
    if training.get("decay_minutes") is None and training.get("decay_steps") is None:
        return [f"{train} --steps {training['steps']}"]
    first = training["decay_from_steps"]
    return [f"{train} --steps {max(first, 1)}", f"{train} --decay-steps {training['steps'] - first}"]
