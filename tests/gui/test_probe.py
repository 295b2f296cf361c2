"""What the machine lacks is found without Qt, and named with the packages that bring it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gui import probe

SCRIPT = Path(probe.__file__)
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for Linux libraries")


def test_it_runs_before_anything_is_installed():
    run = subprocess.run([sys.executable, "-I", "-S", SCRIPT, "build"], capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1) and run.stderr == ""


def test_this_machine_can_draw_offscreen():
    assert probe.missing_for_qt("offscreen") == []


@linux_only
@pytest.mark.parametrize(
    ("platform", "library"),
    [("offscreen", "libEGL.so.1"), ("xcb", "libxcb-cursor.so.0"), ("wayland", "libwayland-cursor.so.0")],
)
def test_a_library_that_does_not_load_is_missing(monkeypatch, platform, library):
    monkeypatch.setattr(probe, "_loads", lambda name: name != library)
    assert probe.missing_for_qt(platform) == [library]


@linux_only
def test_a_wayland_session_needs_no_x11_libraries(monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(probe, "_loads", lambda name: "xcb" not in name)
    assert probe.missing_for_qt() == []


@linux_only
def test_a_machine_without_fonts_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(probe, "_FONT_FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    assert "a font" in probe.missing_for_qt("offscreen")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "Some.TTF").touch()
    assert "a font" not in probe.missing_for_qt("offscreen")


@linux_only
def test_a_display_is_where_x11_or_wayland_says_so(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not probe.has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert probe.has_display()


@pytest.mark.parametrize(
    ("manager", "command"),
    [("apt-get", "sudo apt-get install libegl1 libxcb-cursor0"), ("pacman", "sudo pacman -S libglvnd xcb-util-cursor")],
)
def test_the_advice_is_one_line_with_the_command(monkeypatch, manager, command):
    monkeypatch.setattr(probe.shutil, "which", lambda name: name if name == manager else None)
    line = probe.advice(["libEGL.so.1", "libxcb-cursor.so.0"])
    assert line.endswith(f"install with: {command}") and "\n" not in line


def test_an_unknown_system_still_learns_the_names(monkeypatch):
    monkeypatch.setattr(probe.shutil, "which", lambda _name: None)
    assert probe.advice(["libEGL.so.1"]) == "missing: libEGL.so.1"


def test_a_missing_compiler_and_headers_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(probe.shutil, "which", lambda _name: None)
    monkeypatch.setattr(probe.sysconfig, "get_path", lambda _name: str(tmp_path))
    assert probe.missing_to_build()[:2] == ["a C compiler", "Python's C headers"]


def test_everything_that_can_be_missing_has_packages():
    for name, packages in probe._PACKAGES.items():
        assert len(packages) == len(probe._INSTALLERS) and all(packages), name
