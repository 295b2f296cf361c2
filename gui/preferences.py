"""What a person sets once: theme, memory for the work, what is done unasked. Kept in one small JSON file."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import platformdirs
from PySide6.QtCore import QByteArray, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from engine import memory
from engine.errors import EngineError
from engine.files import atomic_write
from gui import style
from gui.theme import THEMES
from gui.widgets.tick import Tick


def path() -> Path:
    """Where the preferences lie; RATESCOPE_CONFIG names another folder."""
    folder = os.environ.get("RATESCOPE_CONFIG") or platformdirs.user_config_dir("ratescope")
    return Path(folder) / "preferences.json"


def load() -> dict[str, Any]:
    """The preferences; an unreadable file counts as none."""
    try:
        document = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def save(**changes: Any) -> None:
    """Change some preferences; `EngineError` if they cannot be written."""
    document = {**load(), **changes}
    path().parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path(), json.dumps(document, indent=1, sort_keys=True).encode())


def watches() -> bool:
    """Whether pictures are read again when their files are written anew."""
    return load().get("watch") is not False


def checks_learned() -> bool:
    """Whether files of learned codecs are decoded by fresh processes unasked."""
    return load().get("check_learned") is not False


def save_theme(name: str) -> None:
    save(theme=name)


def restore_geometry(window: QWidget) -> None:
    """Place a window where the last one was, as far as the screens of today allow."""
    text = load().get("window")
    if isinstance(text, str):
        window.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "ignore")))


def save_geometry(window: QWidget) -> None:
    """Remember where a window is; a folder that cannot be written is no reason to complain at the end."""
    with contextlib.suppress(EngineError, OSError):
        save(window=window.saveGeometry().toBase64().toStdString())


def apply() -> str:
    """Put the saved memory limit in force for this process and its workers; returns the name of the theme."""
    preferences = load()
    text = preferences.get("memory_limit")
    if isinstance(text, str) and text and not os.environ.get(memory.VARIABLE):
        set_memory_limit(text)
    theme = preferences.get("theme")
    return theme if theme in THEMES else "dark"


def set_memory_limit(text: str) -> None:
    """A limit such as "8G" or "50%", for workers too, which inherit the environment; `UsageError` if it is neither."""
    memory.parse(text)
    os.environ[memory.VARIABLE] = text


class PreferencesDialog(QDialog):
    """Signal theme_chosen(name). The memory limit holds for workers that start from then on."""

    theme_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.theme = QComboBox()
        for name in THEMES:
            self.theme.addItem(name.capitalize(), name)
        self.theme.setCurrentIndex(self.theme.findData(style.current().name))
        self.limit = QLineEdit(str(load().get("memory_limit", "")))
        self.limit.setPlaceholderText(f"8G, 50 %, … (now {memory.size_text(memory.limit())})")
        self.limit.setMinimumWidth(280)
        self.limit.setToolTip("8G, 800M, or a share such as 50%. Work that would need more is refused beforehand.")
        self.watch = Tick("Read pictures again when their files are written anew")
        self.watch.setChecked(watches())
        self.check = Tick("Decode their files in fresh processes, unasked")
        self.check.setChecked(checks_learned())
        self._fault = QLabel()
        self._fault.setProperty("tone", "error")
        self._fault.setWordWrap(True)
        self._fault.hide()
        form = QFormLayout()
        form.addRow("Theme", self.theme)
        form.addRow("Memory for one job", self.limit)
        form.addRow("Files", self.watch)
        form.addRow("Learned codecs", self.check)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self._fault)
        column.addWidget(buttons)

    def accept(self) -> None:
        text = self.limit.text().strip()
        try:
            if text:
                set_memory_limit(text)
            else:
                os.environ.pop(memory.VARIABLE, None)
            save(memory_limit=text, watch=self.watch.isChecked(), check_learned=self.check.isChecked())
        except EngineError as error:
            self._fault.setText(str(error))
            self._fault.show()
            return
        self.theme_chosen.emit(self.theme.currentData())
        super().accept()
