"""Every test of the window runs offscreen, and fails on any warning that Qt prints."""

from tests.qt_guard import no_qt_warnings

__all__ = ["no_qt_warnings"]
