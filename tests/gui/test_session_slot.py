"""Slots for running sessions, and the lists of recent files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import EngineError
from gui.session import recent
from gui.session.recent import MOST, Recent
from gui.session.slot import TRIES, claim

HOLDER = """
import pathlib, sys, time
from gui.session.slot import claim
slot = claim(pathlib.Path(sys.argv[1]))
slot.path.write_text("from the other")
print(slot.number, flush=True)
time.sleep(60)
"""


def test_two_windows_hold_different_slots(tmp_path: Path) -> None:
    first, second = claim(tmp_path), claim(tmp_path)
    assert (first.number, second.number) == (0, 1)
    second.release()
    third = claim(tmp_path)
    assert third.number == 1
    first.release()
    third.release()


def test_a_killed_process_lets_go_of_its_slot(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "0\n"
    other = claim(tmp_path)
    assert other.number == 1
    holder.kill()
    holder.wait()
    holder.stdout.close()
    slot = claim(tmp_path)
    assert slot.number == 0 and slot.path.read_text() == "from the other"
    slot.release()
    other.release()


def test_only_the_first_window_s_session_outlives_it(tmp_path: Path) -> None:
    slots = [claim(tmp_path), claim(tmp_path)]
    for slot in slots:
        slot.path.write_text("{}")
        slot.release()
    assert [slot.path.exists() for slot in slots] == [True, False]


def test_a_session_that_ends_every_start_is_put_aside(tmp_path: Path) -> None:
    for _ in range(TRIES):
        slot = claim(tmp_path)
        slot.path.write_text("{}")
        assert slot.begin()
        slot.release()
    slot = claim(tmp_path)
    assert not slot.begin()
    aside = slot.set_aside()
    assert aside is not None and aside.read_text() == "{}" and not slot.path.exists()
    assert slot.begin(), "the next one has all its tries"
    slot.begun()
    slot.release()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="written"):
        claim(tmp_path / "file" / "sessions")


def test_recent_files_are_kept_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "data" / "recent.json"
    lists = Recent().with_pictures(Path("/a.png")).with_pictures(Path("/b"), Path("/a.png")).with_session(Path("/s"))
    recent.save(path, lists)
    assert recent.load(path) == lists == Recent(("/b", "/a.png"), ("/s",))
    for n in range(MOST + 5):
        lists = lists.with_session(Path(f"/{n}"))
    assert len(lists.sessions) == MOST and lists.sessions[0] == f"/{MOST + 4}"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pictures": 3, "sessions": []}', "[" * 99_999, "\xff"])
def test_a_broken_list_of_recent_files_is_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recent.json"
    path.write_text(text, encoding="latin-1")
    assert recent.load(path) == Recent()
