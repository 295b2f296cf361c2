"""Checkpoints: everything that training needs to go on as if it had not stopped."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engine.errors import CorruptStream, EngineError
from engine.files import atomic_write
from engine.learned.run_folder import CHECKPOINT

FILE = CHECKPOINT
VERSION = 1


def write_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write `state` (tensors, numbers, texts in nested mappings) as the folder's checkpoint, whole or not at all."""
    buffer = io.BytesIO()
    torch.save({"version": VERSION, **state}, buffer)
    atomic_write(folder / FILE, buffer.getvalue())


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """The folder's checkpoint. Only tensors and plain values are loaded, never code. `EngineError` names the file."""
    path = folder / FILE
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise EngineError("there is no checkpoint", path=path) from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CorruptStream("is no checkpoint, or damaged", path=path) from error
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise CorruptStream("is a checkpoint of another version", path=path)
    return state
