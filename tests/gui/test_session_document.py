"""The session file: what is written comes back, and what is damaged, foreign or newer is refused in plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.curves import Curve
from engine.errors import CorruptStream, EngineError, UnknownFormat, Unsupported
from engine.files import FileMark
from engine.trial import Target, TargetKind
from gui.session import document
from gui.session.document import GROUPS, MAX_LANES, SavedLane, SavedSource, Session, dump, parse_bytes

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=()), min_size=1, max_size=12)
MARKS = st.none() | st.builds(FileMark, NAMES, st.integers(0, 10**15))
PATHS = st.lists(st.text("abc .ä", min_size=1, max_size=5).filter(lambda t: t.strip(". ")), min_size=1, max_size=3)
SCALARS = st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False) | NAMES
TONES = st.dictionaries(NAMES, SCALARS, max_size=2)
KINDS = st.sampled_from(["", "direction", "mask", "hologram"])
FIXED = st.lists(NAMES, max_size=3).map(tuple)
SOURCES = st.builds(
    lambda parts, **known: SavedSource("/" + "/".join(parts), **known),
    PATHS,
    file=MARKS,
    tone=TONES,
    fixes=FIXED,
    kind=KINDS,
) | st.builds(SavedSource, sample=NAMES, file=MARKS, tone=TONES, fixes=FIXED, kind=KINDS)
LANES = st.builds(
    SavedLane, NAMES, st.dictionaries(NAMES, SCALARS, max_size=4), st.integers(0, MAX_LANES - 1), st.booleans()
)
TARGETS = st.builds(Target, st.sampled_from(TargetKind), st.floats(1e-6, 1e9))
VALUES = st.dictionaries(st.sampled_from(GROUPS), st.dictionaries(NAMES, SCALARS, max_size=4))
POINTS = st.lists(st.fixed_dictionaries({"bpp": st.floats(0.01, 8), "psnr": st.floats(10, 60)}), min_size=1, max_size=4)
CURVES = st.builds(
    lambda name, source, points: Curve(name, tuple(sorted(points, key=lambda p: p["bpp"])), source),
    NAMES,
    NAMES,
    POINTS,
)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    sources = tuple(draw(st.lists(SOURCES, max_size=4)))
    lanes = tuple(draw(st.lists(LANES, max_size=4)))
    in_sources = st.none() | st.integers(0, len(sources) - 1) if sources else st.none()
    in_lanes = st.none() | st.integers(0, len(lanes) - 1) if lanes else st.none()
    return Session(
        sources=sources,
        lanes=lanes,
        target=draw(TARGETS),
        current=draw(in_sources),
        anchor=draw(in_lanes),
        codec=draw(in_lanes),
        original=draw(st.booleans()),
        values=draw(VALUES),
        curves=tuple(draw(st.lists(CURVES, max_size=2))),
    )


@settings(max_examples=40)
@given(sessions())
def test_a_session_survives_being_written_and_read(session: Session) -> None:
    again = parse_bytes(dump(session, Path("/somewhere/else")))
    assert replace(again, sources=tuple(replace(source, relative="") for source in again.sources)) == session
    assert parse_bytes(dump(session)) == session


JSON = st.recursive(
    st.none() | SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@settings(max_examples=60)
@given(sessions(), st.data())
def test_a_session_of_which_any_part_is_anything_is_read_or_refused_plainly(session: Session, data: Any) -> None:
    tree = json.loads(dump(session, Path("/somewhere")))
    node: Any = tree
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        inner = node[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
            node = inner
            continue
        node[key] = data.draw(JSON)
        break
    try:
        parse_bytes(json.dumps(tree).encode())
    except EngineError as error:
        assert str(error) and "\n" not in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n",
        b"[]",
        b"{}",
        b'{"format": "ratescope-session", "version": NaN}',
        b"[" * 100_000,
        b'{"format": "ratescope-session", "version": 1' + b"0" * 5000 + b"}",
        b'{"format": "other", "version": 1}',
    ],
)
def test_what_is_no_session_is_told_so(data: bytes) -> None:
    with pytest.raises(UnknownFormat, match="not a session file"):
        parse_bytes(data)


def test_a_newer_version_is_refused_with_the_remedy() -> None:
    tree = json.loads(dump(Session()))
    with pytest.raises(Unsupported, match=r"newer Ratescope.*update"):
        parse_bytes(json.dumps({**tree, "version": document.VERSION + 1}).encode())


def test_what_a_newer_program_added_is_passed_over() -> None:
    tree = json.loads(dump(Session(lanes=(SavedLane("jpeg"),), values={"view": {"overlay": True}})))
    tree["mood"] = {"deep": [1]}
    tree["lanes"][0]["mood"] = 1
    session = parse_bytes(json.dumps(tree).encode())
    assert session.lanes == (SavedLane("jpeg"),) and dict(session.values["view"]) == {"overlay": True}
    assert set(session.values) <= set(GROUPS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sources": [{}]}, "names no picture"),
        ({"sources": [{"path": "a\0b"}]}, "sources"),
        ({"sources": [{"path": "a" * 5000}]}, "4096"),
        ({"sources": [{"path": "a", "digest": "x", "size": -1}]}, "size"),
        ({"sources": [{"path": "a"}] * 10_001}, "at most 10000"),
        ({"sources": {}}, "not a list"),
        ({"sources": [3]}, "not an object"),
        ({"sources": [{"path": "a", "tone": 3}]}, "tone"),
        ({"sources": [{"path": "a", "fixes": "raise"}]}, "fixes"),
        ({"sources": [{"path": "a", "fixes": [3]}]}, "a fix"),
        ({"sources": [{"path": "a", "kind": 3}]}, "its kind"),
        ({"current": 0}, "current"),
        ({"current": True, "sources": [{"path": "a"}, {"path": "b"}]}, "current"),
        ({"lanes": [{"codec": 3}]}, "codec"),
        ({"lanes": [{"codec": "jpeg", "settings": {"chroma": ["4:4:4"]}}]}, "setting"),
        ({"lanes": [{"codec": "jpeg", "place": 64}]}, "place"),
        ({"lanes": [{"codec": "jpeg"}] * 65}, "at most 64"),
        ({"target": {"kind": "bpp", "value": 0}}, "target"),
        ({"target": {"kind": "bpp", "value": True}}, "target"),
        ({"target": {"kind": "miles", "value": 1}}, "kind"),
        ({"target": None}, "target"),
        ({"original": "yes"}, "original"),
        ({"curves": [{"name": "a", "points": [{"psnr": 30}]}]}, "rate above 0"),
        ({"view": {str(n): 0 for n in range(65)}}, "too many values"),
        ({"version": "1"}, "version"),
    ],
)
def test_damage_is_named(change: dict[str, Any], words: str) -> None:
    tree = json.loads(dump(Session()))
    with pytest.raises(CorruptStream, match=words):
        parse_bytes(json.dumps({**tree, **change}).encode())


def test_a_huge_file_is_refused_unparsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 1000)
    path = tmp_path / f"huge{document.SUFFIX}"
    path.write_bytes(b" " * 1001)
    with pytest.raises(UnknownFormat, match="too large") as caught:
        document.read(path)
    assert caught.value.path == path


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"gone\.ratescope.*no such file"):
        document.read(tmp_path / "gone.ratescope")


def test_looking_is_no_change_of_a_session_but_another_rate_is() -> None:
    session = Session(sources=(SavedSource("/a.png"),), lanes=(SavedLane("jpeg"),))
    looked = replace(session, current=0, codec=0, original=False, values={"view": {"zoom": 2.0}})
    read = replace(session, sources=(SavedSource("/a.png", file=FileMark("ab", 3), tone={"exposure": 1.0}),))
    assert looked.content() == read.content() == session.content()
    assert replace(session, target=Target(TargetKind.BPP, 0.7)).content() != session.content()


def test_the_way_to_a_picture_is_written_from_the_session_s_folder() -> None:
    session = Session(sources=(SavedSource("/work/pictures/a.png"), SavedSource("/elsewhere/b.png")))
    written = json.loads(dump(session, Path("/work/sessions")))["sources"]
    assert [source["path"] for source in written] == ["../pictures/a.png", "../../elsewhere/b.png"]
    assert [source["absolute"] for source in written] == ["/work/pictures/a.png", "/elsewhere/b.png"]
