"""Which words open the window and which are commands, and how a missing display or library is said."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gui import launch, probe


@pytest.fixture
def opened(monkeypatch):
    """The window's stand-in: collects the options that it is opened with."""
    calls: list[SimpleNamespace] = []
    monkeypatch.setitem(sys.modules, "gui.app", SimpleNamespace(run=lambda options: calls.append(options) or 0))
    monkeypatch.setattr(probe, "missing_for_qt", lambda _platform: [])
    monkeypatch.setattr(probe, "has_display", lambda: True)
    return calls


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ([], []),
        (["gui"], []),
        (["gui", "encode"], ["encode"]),
        (["photo.png", "b.jpg"], ["photo.png", "b.jpg"]),
        (["--bpp", "0.5", "a.png"], ["a.png"]),
        (["./encode"], ["./encode"]),
    ],
)
def test_files_options_and_nothing_open_the_window(opened, arguments, files):
    assert launch.main(arguments) == 0
    assert [str(path) for path in opened[0].files] == [str(Path(name)) for name in files]


def test_the_options_of_the_window_arrive(opened):
    launch.main(["gui", "a.png", "--codecs", "dct, jxl", "--bpp", "0.75"])
    options = opened[0]
    assert (options.codecs, options.bpp) == (["dct", "jxl"], 0.75)
    assert options.screenshot is None


@pytest.mark.parametrize("bpp", ["0", "-1", "x", "nan", "inf"])
def test_a_rate_that_is_none_is_wrong_usage(opened, capsys, bpp):
    assert launch.main(["gui", f"--bpp={bpp}"]) == 2
    assert "is not a rate above 0" in capsys.readouterr().err
    assert opened == []


def test_a_mistyped_command_is_not_taken_for_a_file(opened, capsys):
    assert launch.main(["ecnode", "a.png", "b.jxl"]) == 2
    assert "ecnode" in capsys.readouterr().err
    assert opened == []


def test_commands_go_to_the_engine(opened, capsys):
    assert launch.main(["codecs", "--json"]) == 0
    assert '"dct"' in capsys.readouterr().out
    assert launch.main(["--version"]) == 0
    assert opened == []


def test_a_screenshot_needs_no_display(opened, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert launch.main(["gui", "--screenshot", "out.png"]) == 0
    assert launch.os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_without_a_display_one_line_says_so(opened, monkeypatch, capsys):
    monkeypatch.setattr(probe, "has_display", lambda: False)
    assert launch.main([]) == 1
    error = capsys.readouterr().err
    assert "no display" in error and "--screenshot" in error and error.count("\n") == 1
    assert opened == []


def test_missing_libraries_are_named_before_qt_is_loaded(opened, monkeypatch, capsys):
    monkeypatch.setattr(probe, "missing_for_qt", lambda _platform: ["libEGL.so.1"])
    assert launch.main([]) == 1
    assert "libEGL.so.1" in capsys.readouterr().err
    assert opened == []
