"""Presets in the window: what the codec menu and the command palette offer, and how a lane becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from engine import registry
from engine.carry import refusal
from engine.presets import Preset, presets, save
from gui.state import Lane


@dataclass(frozen=True)
class PresetChoice:
    """A preset that the menu offers under `title`; `reason` says why it cannot be taken here, "" when it can.

    id: "" for what an engine has and no codec here stands for.
    """

    title: str
    id: str
    label: str
    about: str = ""
    reason: str = ""


def choices(*, is_light: bool) -> list[PresetChoice]:
    """All presets as they are now, and what is not offered, for a picture of light or of code values."""
    found = presets()
    offered = [
        PresetChoice(each.title, each.id, each.label, each.about, _reason(each, is_light=is_light))
        for each in found.by_id.values()
    ]
    return offered + [PresetChoice(each.title, "", each.label, reason=each.why) for each in found.not_offered]


def _reason(preset: Preset, *, is_light: bool) -> str:
    why = registry.why_not(preset)
    return why or refusal(registry.codec(preset.id).info, is_light=is_light) or ""


def add_actions(parent: QObject, add: Callable[[str], object], *, is_light: bool) -> list[QAction]:
    """An action for each preset that can be taken, for the command palette."""
    made = []
    for choice in choices(is_light=is_light):
        if not choice.reason:
            action = QAction(f"Add codec: {choice.label}", parent)
            action.triggered.connect(lambda _checked=False, name=choice.id: add(name))
            made.append(action)
    return made


def keep(lane: Lane, name: str) -> Preset:
    """Save a lane's settings as a preset of this name; `UsageError` where that is taken. See `engine.presets.save`."""
    used = presets().by_id.get(lane.codec)
    codec = used.codec if used is not None else lane.codec
    settings = {**used.settings, **lane.settings} if used is not None else lane.settings
    return save(name, codec, registry.codec(codec).info, settings, registry.codec_ids())
