"""What the batch dialog asks for, and the command line that does it. No Qt in here."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import registry
from engine.batch.job import QUALITY
from engine.batch.pictures import MARK, find
from engine.errors import EngineError
from engine.trial import TargetKind
from gui.models.units import parse_target

KINDS = ((TargetKind.BPP, "bpp, at most"), (TargetKind.BYTES, "KB, at most"), (TargetKind.PSNR, "dB PSNR, at least"))
EXAMPLES = {"bpp": "0.25, 0.5, 1", "bytes": "20, 50, 100", "psnr": "30, 35, 40", QUALITY: "30, 60, 90"}


@dataclass(frozen=True)
class BatchLane:
    """A codec with the settings of a lane of the comparison."""

    codec: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchPlan:
    """Everything that the dialog holds. targets: as typed. workers: processes, or scheduler: of a cluster, if any."""

    folder: str = ""
    out: str = ""
    lanes: tuple[BatchLane, ...] = ()
    kind: str = "bpp"
    targets: str = ""
    metrics: tuple[str, ...] = ("psnr", "ms_ssim")
    save_encoded: bool = False
    save_decoded: bool = False
    passports: bool = False
    workers: int = 1
    scheduler: str = ""

    def fault(self) -> str:
        """What is missing or wrong, in the words of the dialog; "" when the batch may begin."""
        folder, out = Path(self.folder).expanduser(), Path(self.out).expanduser()
        if not self.folder:
            return "Choose the folder of the pictures"
        if not folder.is_dir():
            return f"There is no folder {folder}"
        if not self.lanes:
            return "Tick a codec"
        if self.values() is None:
            return f"Type targets such as {EXAMPLES[self.kind]}"
        if not self.out:
            return "Choose a folder for the results"
        if out.resolve() == folder.resolve():
            return "Results need a folder of their own"
        if out.is_dir() and not self.begun and any(out.iterdir()):
            return "The folder for the results holds other files"
        return ""

    @property
    def begun(self) -> bool:
        """The folder for the results holds a batch that was begun there."""
        return bool(self.out) and (Path(self.out).expanduser() / MARK).is_dir()

    def values(self) -> list[float] | None:
        """The targets as numbers, None if some are none: commas, semicolons and blanks part them."""
        found = [self._value(part) for part in self.targets.replace(";", " ").replace(", ", " ").split()]
        values = [value for value in found if value is not None]
        return values if values and len(values) == len(found) else None

    def _value(self, text: str) -> float | None:
        text = text.strip(",")
        if self.kind != QUALITY:
            return parse_target(TargetKind(self.kind), text)
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def words(self) -> list[str]:
        """The command line after `ratescope`; it goes on with what is begun."""
        targets = ",".join(f"{value:.12g}" for value in self.values() or ())
        words = ["batch", str(Path(self.folder).expanduser()), "--out", str(Path(self.out).expanduser())]
        words += ["--codecs", ",".join(lane.codec for lane in self.lanes), f"--{self.kind}={targets}"]
        for lane in self.lanes:
            words += [word for pair in _settings(lane) for word in ("--set", pair)]
        words += ["--metrics", ",".join(self.metrics)]
        words += ["--save-encoded"] if self.save_encoded else []
        words += ["--save-decoded"] if self.save_decoded else []
        words += ["--passports"] if self.passports else []
        words += ["--resume"] if self.begun else []
        return words + (["--scheduler", self.scheduler] if self.scheduler else ["--workers", str(self.workers)])


def _settings(lane: BatchLane) -> list[str]:
    """The settings that are not the codec's own defaults, as CODEC:NAME=VALUE."""
    defaults = registry.codec(lane.codec).info.defaults()
    chosen = {name: value for name, value in lane.settings.items() if value != defaults.get(name)}
    return [
        f"{lane.codec}:{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in chosen.items()
    ]


def count_pictures(plan: BatchPlan) -> int:
    """How many pictures the batch would find; 0 where there is none."""
    with contextlib.suppress(EngineError):
        return len(find(Path(plan.folder).expanduser(), Path(plan.out or plan.folder).expanduser()))
    return 0


def beside(folder: str) -> str:
    """A folder for the results that is not there yet, beside that of the pictures."""
    path = Path(folder)
    names = (f"{path.name}-batch{'' if number == 1 else f'-{number}'}" for number in range(1, 1000))
    return str(next(path.with_name(name) for name in names if not path.with_name(name).exists()))
