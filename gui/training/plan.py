"""What is asked for in the training window, and where runs of training lie. Knows nothing of Qt."""

from __future__ import annotations

import contextlib
import enum
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.cli.train import bundled_recipes
from engine.errors import EngineError
from engine.learned.run_folder import CHECKPOINT
from gui import preferences

MOST_RECENT = 10
_RECENT = "training_runs"


class Kind(enum.StrEnum):
    NEW = "new"
    RESUME = "resume"
    DECAY = "decay"


@dataclass(frozen=True)
class TrainingPlan:
    """A session of training. recipe: a bundled one's name, or the path of a file. out: the folder of the run."""

    kind: Kind = Kind.NEW
    recipe: str = ""
    data: str = ""
    out: str = ""
    minutes: int = 60

    @property
    def folder(self) -> Path:
        return Path(self.out).expanduser()

    def fault(self) -> str:
        """Why this cannot be trained, in plain words; "" where it can."""
        if not self.recipe:
            return "Choose a recipe"
        if self.recipe not in bundled_recipes() and not Path(self.recipe).expanduser().is_file():
            return "There is no such recipe"
        if not self.data:
            return "Choose a folder of pictures to learn from"
        if not Path(self.data).expanduser().is_dir():
            return "There is no such folder of pictures"
        if not self.out:
            return "Name a folder for the run" if self.kind is Kind.NEW else "Choose a run first"
        begun = (self.folder / CHECKPOINT).is_file()
        if self.kind is Kind.NEW and begun:
            return "A run lies in that folder already: go on with it, or name another one"
        if self.kind is not Kind.NEW and not begun:
            return "That run has saved nothing yet"
        return ""

    def words(self) -> list[str]:
        """The command line after `ratescope`."""
        recipe = ["--arch", self.recipe] if self.recipe in bundled_recipes() else [str(Path(self.recipe).expanduser())]
        words = ["train", *recipe, "--data", str(Path(self.data).expanduser()), "--out", str(self.folder)]
        if self.kind is Kind.DECAY:
            return [*words, "--decay-minutes", str(self.minutes)]
        return [*words, "--minutes", str(self.minutes), *(["--resume"] if self.kind is Kind.RESUME else [])]


def runs_folder() -> Path:
    """Where runs lie that nobody gave another place; RATESCOPE_RUNS names another folder."""
    named = os.environ.get("RATESCOPE_RUNS")
    return Path(named) if named else Path(platformdirs.user_cache_dir("ratescope")) / "runs"


def fresh_folder(recipe: str) -> Path:
    """A place for a new run of a recipe, which is not there yet."""
    name = Path(recipe).stem or "run"
    return next(path for n in range(1, 10_000) if not (path := runs_folder() / f"{name}-{n}").exists())


@dataclass(frozen=True)
class Remembered:
    """A run that was looked at, and with what it was trained from the window, "" for what is not known."""

    folder: str
    recipe: str = ""
    data: str = ""


def recent() -> list[Remembered]:
    """The runs that were looked at lately, newest first; none where the preferences hold no such list."""
    entries = preferences.load().get(_RECENT)
    if not isinstance(entries, list):
        return []
    whole = [each for each in entries if isinstance(each, dict) and isinstance(each.get("folder"), str)]
    texts = [{name: value for name, value in each.items() if isinstance(value, str)} for each in whole]
    return [
        Remembered(each["folder"], each.get("recipe", ""), each.get("data", ""))
        for each in texts[:MOST_RECENT]
        if each["folder"] and "\0" not in each["folder"]
    ]


def remember(run: Remembered) -> None:
    """Put a run in front of the recent ones; what is not known of it now stays as it was."""
    before = {each.folder: each for each in recent()}
    known = before.pop(run.folder, run)
    merged = Remembered(run.folder, run.recipe or known.recipe, run.data or known.data)
    with contextlib.suppress(EngineError, OSError):  # a folder that cannot be written is no reason to complain
        preferences.save(**{_RECENT: [vars(each) for each in (merged, *before.values())][:MOST_RECENT]})
