"""Any warning that Qt prints fails the test in which it is printed. Import before Qt: it chooses the platform."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QtMsgType, qInstallMessageHandler

_HARMLESS = ("This plugin does not support",)  # said by the offscreen platform itself


@pytest.fixture(autouse=True)
def no_qt_warnings(qapp: object) -> Iterator[None]:
    heard: list[str] = []

    def listen(kind: QtMsgType, _context: object, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not text.startswith(_HARMLESS):
            heard.append(text)

    before = qInstallMessageHandler(listen)
    yield
    qInstallMessageHandler(before)
    assert not heard, "Qt warned: " + "; ".join(heard)
