"""Runs of training: a constant learning rate for as long as one likes, and decays that branch off it.

A run lives in a folder, over as many sessions as one likes: checkpoint.pt, log.jsonl, events/ for TensorBoard. A
decay lies in a folder within it, which gets weights.safetensors at its end; the run itself is left as it is.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from engine.errors import UsageError
from engine.files import claimed, make_folder
from engine.learned import stored
from engine.learned.checkpoint import FILE, read_checkpoint
from engine.learned.device import choose
from engine.learned.export import export_run
from engine.learned.progress import Length, Progress
from engine.learned.recipe import Recipe, architecture_name, architecture_of
from engine.learned.run_folder import LOCK, WEIGHTS
from engine.learned.subject import load_subject
from engine.learned.trainer import Reports, Trainer


@dataclass(frozen=True)
class Session:
    """What to train, on what, and for how long.

    length: of this session. decay: of a decay that branches off, no length for none. resume: continue the run, or the
    newest decay, that is there. init: exported weights to start from, of the same model or of one within it.
    """

    recipe: Recipe
    data: Path
    out: Path
    length: Length = field(default_factory=Length)
    decay: Length = field(default_factory=Length)
    resume: bool = False
    init: Path | None = None
    threads: int | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Outcome:
    """trainer: as the session left it. began: steps at its start. weights: what a finished decay gave."""

    trainer: Trainer
    began: int
    interrupted: bool
    weights: Path | None


def train(session: Session, reports: Reports) -> Outcome:
    """Train until the length is over, the decay has ended, or the process is asked to end; all is saved then.

    Raises an `EngineError` that names the recipe, folder or file at fault.
    """
    device = choose(session.device)
    if session.threads is not None:
        torch.set_num_threads(session.threads)
    check_folder(session)
    recipe = session.recipe
    subject = load_subject(recipe, session.data, device, torch.get_num_threads())
    reports.note(f"{subject.data['training']} pictures to train on, {subject.data['held_back']} held back")

    def trainer_in(folder: Path) -> Trainer:
        return Trainer(recipe, subject, folder, device=device, reports=reports)

    branching = session.decay != Length()
    folder = decay_folder(session.out, resume=session.resume) if branching else session.out
    make_folder(folder)
    with claimed(folder / LOCK, "another process is training here: wait for its end, or end it"):
        if branching:
            trainer = branch_decay(trainer_in, session.out, folder, session.decay)
        else:
            trainer = prepare(trainer_in, folder, init=session.init)
        return _run(trainer, session.length)


def _run(trainer: Trainer, length: Length) -> Outcome:
    began = trainer.progress.steps
    with asked_to_end() as asked:
        trainer.train(length, asked)
        ended = trainer.progress.decaying and trainer.progress.decayed >= 1
        weights = trainer.folder / WEIGHTS if ended else None
        if weights is not None:
            export_run(trainer.folder, weights)
        return Outcome(trainer, began, asked() and not ended, weights)


def check_folder(session: Session) -> None:
    """`UsageError` if the folder is not what the session needs: known before minutes go by reading pictures."""
    exists = (session.out / FILE).exists()
    if session.decay != Length():
        if session.init is not None:
            raise UsageError("--init is for new runs, not for a decay")
        if not exists:
            raise UsageError(f"{session.out} holds no run that a decay could branch off: train one first")
    elif exists and not session.resume:
        raise UsageError(f"{session.out} holds a run already: continue it with --resume, or name another folder")
    elif exists and session.init is not None:
        raise UsageError("--init is for new runs: this one has weights of its own")
    if exists:
        require_same_model(session.recipe, read_checkpoint(session.out)["recipe"])


def prepare(trainer_in: Callable[[Path], Trainer], out: Path, *, init: Path | None = None) -> Trainer:
    """The run in `out`, or if there is none a new one, saved at once."""
    trainer = trainer_in(out)
    if (out / FILE).exists():
        trainer.restore(read_checkpoint(out))
    else:
        trainer.start(stored.read(init) if init is not None else None)
        trainer.save()
    return trainer


def decay_folder(run: Path, *, resume: bool) -> Path:
    """Where a decay from where the run stands lies, or with `resume` the newest one that was begun.

    `UsageError` if it is there already, or over.
    """
    folder = run / f"decay-{read_checkpoint(run)['progress']['steps']}"
    if resume:
        begun = [path.parent for path in run.glob(f"decay-*/{FILE}")]
        folder = max(begun, key=lambda path: (path / FILE).stat().st_mtime, default=folder)
    exists = (folder / FILE).exists()
    if exists and not resume:
        raise UsageError(f"{folder} holds a decay already: continue it with --resume")
    if exists and (folder / WEIGHTS).exists():
        raise UsageError(f"the decay in {folder} is over, its weights are there: branch another without --resume")
    return folder


def branch_decay(trainer_in: Callable[[Path], Trainer], run: Path, folder: Path, length: Length) -> Trainer:
    """The decay in `folder`, or if there is none a new one from where the run stands, saved at once."""
    trainer = trainer_in(folder)
    if (folder / FILE).exists():
        trainer.restore(read_checkpoint(folder))
    else:
        trainer.restore(read_checkpoint(run))
        trainer.progress.begin_decay(length)
        trainer.save()
    return trainer


def trained_on(folder: Path) -> tuple[str, str | None, int, bool]:
    """Of the run or decay in `folder`: what codec it is for, the name of its data's folder, its steps, whether it is a
    decay that is over."""
    state = read_checkpoint(folder)
    progress = Progress(**state["progress"])
    data = state.get("data")
    architecture = architecture_name(state["recipe"])
    return architecture, data["folder"] if data else None, progress.steps, progress.decaying and progress.decayed >= 1


def require_same_model(recipe: Recipe, trained: Mapping[str, Any]) -> None:
    if (recipe.model, recipe.rate) != architecture_of(trained):
        raise UsageError("the recipe's model or rate section is not that of the run: both are fixed once it began")


@contextmanager
def asked_to_end() -> Iterator[Callable[[], bool]]:
    """Whether the process was asked to end (Ctrl-C, SIGTERM) meanwhile, so that the loop can save first."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    before = {kind: signal.signal(kind, ask) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


if __name__ == "__main__":
    from engine.cli import main

    sys.exit(main(["train", *sys.argv[1:]]))
