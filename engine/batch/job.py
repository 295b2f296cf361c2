"""What a batch is to do, and whether what lies in its folder was begun for the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import registry
from engine.codec import Settings
from engine.errors import UsageError
from engine.trial import Target, TargetKind, canonical

QUALITY = "quality"
KINDS = (*(str(kind) for kind in TargetKind), QUALITY)
_UNITS = {"bpp": " bpp", "bytes": " bytes", "psnr": " dB", QUALITY: ""}


@dataclass(frozen=True)
class Goal:
    """What every picture is brought to: a rate or PSNR, or (kind "quality") a value of the codec's RATE setting."""

    kind: str
    value: float

    @property
    def number(self) -> str:
        return f"{self.value:.12g}"

    @property
    def column(self) -> str:
        """The column of the table that holds the value."""
        return f"target_{self.kind}"

    @property
    def target(self) -> Target | None:
        """What the rate search is asked for; None where a setting is given instead."""
        return None if self.kind == QUALITY else Target(TargetKind(self.kind), self.value)

    @property
    def slug(self) -> str:
        """A name for folders: 0.5bpp, quality80."""
        return f"quality{self.number}" if self.kind == QUALITY else str(self).replace(" ", "")

    def __str__(self) -> str:
        return f"quality {self.number}" if self.kind == QUALITY else f"{self.number}{_UNITS[self.kind]}"


@dataclass(frozen=True)
class Job:
    """Every picture in `folder` × every codec × every goal, into the folder `out`.

    codecs: settings by codec id. goals: of one kind, rising. metrics: ids of the scores. save_encoded, save_decoded:
    keep the files, and the decoded pictures as PNG, in the folder's own tree under `out`. passports: have each file
    decoded by a fresh process. roi: a painted mask for all pictures, or a folder of masks by their names.
    """

    folder: Path
    out: Path
    codecs: Mapping[str, Settings]
    goals: tuple[Goal, ...]
    metrics: tuple[str, ...] = ("psnr",)
    save_encoded: bool = False
    save_decoded: bool = False
    passports: bool = False
    roi: Path | None = None

    def settings_at(self, codec: str, goal: Goal) -> dict[str, Any]:
        """The codec's settings, completed, with the goal's value where that is a setting; `UsageError` otherwise."""
        info = registry.codec(codec).info
        settings = info.complete(self.codecs[codec])
        if goal.kind == QUALITY:
            if info.rate_param is None:
                raise UsageError(f"{codec} has no quality to set: it codes at one rate")
            settings[info.rate_param.name] = info.rate_param.coerce(goal.value)
        return settings

    def check(self) -> None:
        """`UsageError` for settings, codecs or goals that make no sense."""
        for codec in self.codecs:
            for goal in self.goals:
                self.settings_at(codec, goal)

    def versions(self) -> dict[str, str]:
        """What decides the bytes besides the settings, by codec."""
        return {codec: registry.codec(codec).version() for codec in self.codecs}

    def described(self) -> dict[str, Any]:
        """The job as JSON values: two jobs with equal descriptions give equal rows."""
        versions = self.versions()
        return {
            "folder": str(self.folder.resolve()),
            "codecs": {
                codec: {"settings": registry.codec(codec).info.complete(settings), "version": versions[codec]}
                for codec, settings in self.codecs.items()
            },
            "goals": [{"kind": goal.kind, "value": goal.value} for goal in self.goals],
            "metrics": list(self.metrics),
            "save_encoded": self.save_encoded,
            "save_decoded": self.save_decoded,
            "passports": self.passports,
            "roi": str(self.roi.resolve()) if self.roi else "",
        }


def difference(begun: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """In what two descriptions differ, in plain words; "" where they agree."""
    for key, name in (("folder", "the folder"), ("metrics", "the metrics")):
        if begun[key] != asked[key]:
            return f"{name} then: {_words(begun[key])}; now: {_words(asked[key])}"
    if begun["goals"] != asked["goals"]:
        return f"the targets then: {_goals(begun)}; now: {_goals(asked)}"
    if list(begun["codecs"]) != list(asked["codecs"]):
        return f"the codecs then: {_words(list(begun['codecs']))}; now: {_words(list(asked['codecs']))}"
    for codec, old in begun["codecs"].items():
        new = asked["codecs"][codec]
        if old["settings"] != new["settings"]:
            return f"the settings of {codec} then: {canonical(old['settings'])}; now: {canonical(new['settings'])}"
        if old["version"] != new["version"]:
            return f"{codec} was then {old['version']}, and is now {new['version']}"
    for key, name in (("save_encoded", "encoded files"), ("save_decoded", "decoded pictures")):
        if begun[key] != asked[key]:
            return (
                f"{name} were {'' if begun[key] else 'not '}kept then, and are {'' if asked[key] else 'not '}to be now"
            )
    if begun.get("roi", "") != asked["roi"]:
        return f"the painted masks then: {begun.get('roi') or 'none'}; now: {asked['roi'] or 'none'}"
    if begun.get("passports", False) != asked["passports"]:
        return f"then {_with(begun.get('passports'))} decode passports, now {_with(asked['passports'])} them"
    return ""


def _with(wanted: bool | None) -> str:
    return "with" if wanted else "without"


def _words(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _goals(description: Mapping[str, Any]) -> str:
    return ", ".join(str(Goal(**goal)) for goal in description["goals"])
