"""Train a learned codec: `python -m engine.learned.train RECIPE --data DIR --out RUN`.

The run goes on at a constant learning rate until stopped, over as many sessions as one likes (--resume).
--decay-minutes branches off a decay into a folder within RUN and exports its weights at the end; the run itself is
left as it is.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from engine.errors import EngineError, UsageError
from engine.learned.checkpoint import FILE, read_checkpoint
from engine.learned.data import Photographs, load_photographs
from engine.learned.export import export, load_weights
from engine.learned.progress import Length
from engine.learned.recipe import Recipe, architecture_of, read_recipe
from engine.learned.trainer import Trainer

WEIGHTS = "weights.safetensors"


def prepare(recipe: Recipe, photographs: Photographs, out: Path, *, resume: bool, init: Path | None) -> Trainer:
    """A new run in `out`, or the one that is there. `UsageError` if that is not what was meant."""
    exists = (out / FILE).exists()
    if exists and not resume:
        raise UsageError(f"{out} holds a run already: continue it with --resume, or name another folder")
    if exists and init is not None:
        raise UsageError("--init is for new runs: this one has weights of its own")
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, photographs, out)
    if exists:
        state = read_checkpoint(out)
        require_same_model(recipe, state["recipe"])
        trainer.restore(state)
    else:
        trainer.start(load_weights(init) if init is not None else None)
    return trainer


def branch_decay(recipe: Recipe, photographs: Photographs, run: Path, length: Length, *, resume: bool) -> Trainer:
    """A decay from where the run in `run` stands, or with `resume` the newest one that was begun."""
    state = read_checkpoint(run)
    require_same_model(recipe, state["recipe"])
    folder = run / f"decay-{state['progress']['steps']}"
    if resume:
        begun = [path.parent for path in run.glob(f"decay-*/{FILE}")]
        folder = max(begun, key=lambda path: (path / FILE).stat().st_mtime, default=folder)
    exists = (folder / FILE).exists()
    if exists and not resume:
        raise UsageError(f"{folder} holds a decay already: continue it with --resume")
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, photographs, folder)
    trainer.restore(read_checkpoint(folder) if exists else state)
    if not exists:
        trainer.progress.begin_decay(length)
    return trainer


def require_same_model(recipe: Recipe, trained: Mapping[str, Any]) -> None:
    if (recipe.model, recipe.rate) != architecture_of(trained):
        raise UsageError("the recipe's model or rate section is not that of the run: both are fixed once it began")


def export_averaged(trainer: Trainer, path: Path) -> None:
    state = trainer.state()
    export(state["averaged"], {"recipe": state["recipe"], **state["progress"]}, path)


class Interrupt:
    """Becomes true when the process is asked to end, so that the loop can save first."""

    def __init__(self) -> None:
        self.asked = False
        for kind in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kind, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.learned.train", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, help="end this session after so long")
    parser.add_argument("--steps", type=int, help="end this session after so many steps")
    parser.add_argument("--resume", action="store_true", help="continue the run, or the decay, that is there")
    parser.add_argument("--init", type=Path, help="start from exported weights of the same architecture")
    parser.add_argument("--decay-minutes", type=float, help="branch off a decay of this length")
    parser.add_argument("--decay-steps", type=int, help="the same in steps")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    interrupt = Interrupt()
    torch.set_num_threads(options.threads)
    recipe = read_recipe(options.recipe)
    side = max(recipe.training.patch, recipe.decay.patch)
    photographs = load_photographs(options.data, min_side=side, threads=options.threads)
    print(f"{len(photographs.training)} pictures to train on, {len(photographs.held_back)} held back", flush=True)
    decay = Length(options.decay_minutes, options.decay_steps)
    if decay == Length():
        trainer = prepare(recipe, photographs, options.out, resume=options.resume, init=options.init)
    else:
        trainer = branch_decay(recipe, photographs, options.out, decay, resume=options.resume)
    trainer.train(Length(options.minutes, options.steps), interrupt)
    if trainer.progress.decaying and trainer.progress.decayed >= 1:
        export_averaged(trainer, trainer.folder / WEIGHTS)


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        run(parse(arguments))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
