"""From the window to a `Session`, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from engine import registry
from engine.doctor import FIXES, ordered
from engine.errors import EngineError
from engine.image import Meaning
from gui.lanes import lane_settings
from gui.session import fields
from gui.session.document import MAX_CURVES, MAX_LANES, MAX_SOURCES, SavedLane, SavedSource, Session, sample_name
from gui.session.locate import Found
from gui.session.region import json_of, region_of
from gui.state import ORIGINAL, Lane, Source, State

if TYPE_CHECKING:
    from gui.frame import Frame


def capture(window: Frame) -> Session:
    """What is open in the window, and how it is looked at. Fast: it touches no file."""
    state = window.state
    sources, lanes = state.sources[:MAX_SOURCES], state.lanes[:MAX_LANES]
    lane_ids = [lane.id for lane in lanes]
    return Session(
        sources=tuple(_saved(source) for source in sources),
        lanes=tuple(SavedLane(lane.codec, dict(lane.settings), lane.place, lane.visible) for lane in lanes),
        target=state.target,
        current=_place([source.id for source in sources], window.controller.chosen_id),
        anchor=_place(lane_ids, state.anchor),
        codec=_place(lane_ids, state.codec),
        original=state.active == ORIGINAL,
        values=fields.take(window),
        curves=tuple(window.references[:MAX_CURVES]),
    )


def _saved(source: Source) -> SavedSource:
    sample = sample_name(source.path)
    tone = asdict(source.tone) if source.tone is not None else {}
    region = json_of(source.importance)
    known = SavedSource(tone=tone, fixes=source.fixes, kind=str(source.read_as or ""), region=region)
    return replace(known, sample=sample) if sample else replace(known, path=str(source.path), file=source.file)


def _place(ids: Sequence[int], wanted: int | None) -> int | None:
    return ids.index(wanted) if wanted in ids else None


def put_back(session: Session, found: Sequence[Found], window: Frame) -> list[str]:
    """Open a session in place of what is open; what could not be brought back comes back as plain words.

    found: where each of its sources is now.
    """
    state, controller = window.state, window.controller
    controller.clear()
    remarks: list[str] = []
    lanes = [_lane(saved, state, remarks) for saved in session.lanes]
    state.set_target(session.target)
    remarks += fields.put(window, session.values)
    _choose(session, lanes, state)
    window.set_references(session.curves)
    kinds = [_kind(saved, remarks) for saved in session.sources]
    rows = [
        controller.bring_back(each.path, each.file, each.missing, kind) for each, kind in zip(found, kinds, strict=True)
    ]
    for row, known in zip(rows, session.sources, strict=True):
        row.tone = fields.tone_of(known.tone, remarks)
        row.fixes = _fixes(known, remarks)
        row.importance = region_of(known.region, remarks)
    there = [row for row in rows if not row.missing]
    wanted = rows[session.current] if session.current is not None else None
    first = wanted if wanted in there else next(iter(there), None)
    if first is not None:
        controller.choose_source(first.id)
    return remarks


def _kind(saved: SavedSource, remarks: list[str]) -> Meaning | None:
    if saved.kind and saved.kind not in set(Meaning):
        remarks.append(f"there is no kind '{saved.kind}' here")
        return None
    return Meaning(saved.kind) if saved.kind else None


def _fixes(saved: SavedSource, remarks: list[str]) -> tuple[str, ...]:
    unknown = [name for name in saved.fixes if name not in FIXES]
    remarks += [f"there is no fix '{name}' here" for name in unknown]
    return ordered(name for name in saved.fixes if name in FIXES)


def _lane(saved: SavedLane, state: State, remarks: list[str]) -> Lane | None:
    try:
        info = registry.codec(saved.codec).info
    except EngineError:
        remarks.append(f"there is no codec '{saved.codec}' here")
        return None
    good = {}
    for name, value in saved.settings.items():
        try:
            good[name] = info.param(name).coerce(value)
        except EngineError as error:
            remarks.append(f"{info.label}: {error}")
    lane = state.add_lane(info.id, info.label, lane_settings(info, good), saved.place)
    state.set_lane_visible(lane.id, saved.visible)
    return lane


def _choose(session: Session, lanes: Sequence[Lane | None], state: State) -> None:
    anchor = lanes[session.anchor] if session.anchor is not None else None
    codec = lanes[session.codec] if session.codec is not None else None
    if anchor is not None:
        state.set_view(anchor=anchor.id)
    if codec is not None:
        state.activate(codec.id)
    if session.original:
        state.activate(ORIGINAL)
