"""Where the window keeps what a person did not ask to save: running sessions, pasted pictures, recent files."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The user's data folder for this program; RATESCOPE_DATA names another one."""
    return Path(os.environ.get("RATESCOPE_DATA") or platformdirs.user_data_dir("ratescope"))
