"""Train a learned codec: a run at a constant learning rate that can be stopped and resumed at any second.

RECIPE.toml says what the model is made of and how it is trained; --arch names one that comes with the program.
--decay-minutes branches off a decay into a folder within RUN, which ends in weights to use; the run itself stays as
it is and can go on later. docs/learned.md says more.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.console import Answer, Console
from engine.errors import UsageError
from engine.learned import needs

if TYPE_CHECKING:
    from engine.learned.light_filters import FilterRecipe
    from engine.learned.train import Outcome

INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", nargs="?", metavar="RECIPE.toml", type=Path)
    parser.add_argument("--arch", metavar="A", help=f"a recipe of ours in its place: {', '.join(bundled_recipes())}")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of pictures to learn from")
    parser.add_argument("--out", metavar="RUN", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=positive, metavar="M", help="end this session after so long")
    parser.add_argument("--steps", type=count, metavar="N", help="end this session after so many steps")
    parser.add_argument("--resume", action="store_true", help="continue the run, or the decay, that is there")
    parser.add_argument("--decay-minutes", type=positive, metavar="N", help="branch off a decay of this length")
    parser.add_argument("--decay-steps", type=count, metavar="N", help="the same in steps")
    parser.add_argument("--init", metavar="W.safetensors", type=Path, help="weights of this recipe to start from")
    parser.add_argument("--threads", type=count, metavar="N", help="threads at work (default: one a core)")
    parser.add_argument("--device", default="auto", metavar="D", help="auto (default), cuda, mps or cpu")


def run(args: argparse.Namespace, console: Console) -> Answer:
    path = _recipe_path(args)
    needs.require("training", needs.TRAINING)
    from engine.learned.light_filters import read_filter_recipe
    from engine.learned.progress import Length
    from engine.learned.recipe import read_recipe
    from engine.learned.train import Session, train

    filters = read_filter_recipe(path)
    if filters is not None:
        return _filters(filters, args, console)
    session = Session(
        recipe=read_recipe(path),
        data=args.data,
        out=args.out,
        length=Length(args.minutes, args.steps),
        decay=Length(args.decay_minutes, args.decay_steps),
        resume=args.resume,
        init=args.init,
        threads=args.threads,
        device=args.device,
    )
    outcome = train(session, console)
    document = _document(outcome)
    return Answer(document, _text(document), INTERRUPTED if outcome.interrupted else 0)


def _filters(recipe: FilterRecipe, args: argparse.Namespace, console: Console) -> Answer:
    """Filters are no networks: they are solved for at once, from as many patches as there is time for."""
    from engine.learned.light_filters import train_filters

    if args.resume or args.init is not None or args.decay_minutes is not None or args.decay_steps is not None:
        raise UsageError("filters are learned in one go: there is nothing to resume, to start from or to decay")
    if args.steps is not None:
        recipe = replace(recipe, patches=args.steps)
    learnt = train_filters(recipe, args.data, args.out, minutes=args.minutes, note=console.note)
    document = {
        "run": str(args.out),
        "steps": learnt.patches,
        "seconds": learnt.seconds,
        "gain_db": {"training": learnt.gain, "held_back": learnt.held_back},
        "weights": str(learnt.weights),
    }
    text = (
        f"{args.out}: {learnt.patches} patches in {learnt.seconds / 60:.1f} minutes, {learnt.gain:.3f} dB less error "
        f"on them, {learnt.held_back:.3f} dB on maps held back\nweights: {learnt.weights}"
    )
    return Answer(document, text)


def bundled_recipes() -> list[str]:
    """The architectures whose recipes come with the program."""
    return sorted(path.stem for path in _recipes().glob("*.toml"))


def positive(text: str) -> float:
    """A number above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def count(text: str) -> int:
    """A whole number from 1, for argparse."""
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return int(text)


def _recipes() -> Path:
    return Path(str(files("resources"))) / "recipes"


def _recipe_path(args: argparse.Namespace) -> Path:
    if (args.recipe is None) == (args.arch is None):
        raise UsageError("name a recipe: either RECIPE.toml or --arch")
    if args.recipe is not None:
        return Path(args.recipe)
    if args.arch not in bundled_recipes():
        raise UsageError(f"unknown architecture '{args.arch}'; known are {', '.join(bundled_recipes())}")
    return _recipes() / f"{args.arch}.toml"


def _document(outcome: Outcome) -> dict[str, Any]:
    trainer, progress = outcome.trainer, outcome.trainer.progress
    record = trainer.record or {}
    return {
        "run": str(trainer.folder),
        "steps": progress.steps,
        "steps_taken": progress.steps - outcome.began,
        "seconds": progress.seconds,
        "skipped": trainer.optimiser.skipped,
        "loss": trainer.step.loss,
        "decaying": progress.decaying,
        "decayed": progress.decayed if progress.decaying else None,
        "cost": record.get("cost"),
        "curve": record.get("curve"),
        "device": str(trainer.device),
        "data": trainer.data,
        "weights": str(outcome.weights) if outcome.weights else None,
        "interrupted": outcome.interrupted,
    }


def _text(document: dict[str, Any]) -> str:
    minutes = document["seconds"] / 60
    lines = [f"{document['run']}: {document['steps']} steps in {minutes:.1f} minutes, {document['skipped']} skipped"]
    if document["interrupted"]:
        lines.append("ended as asked; --resume goes on from here")
    if document["weights"]:
        lines.append(f"weights: {document['weights']}")
    return "\n".join(lines)
