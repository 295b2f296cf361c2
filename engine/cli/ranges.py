"""What `ratescope models ranges` does: takes the ranges of latents over pictures, for the warning of unlike ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.cli.console import Answer, Console, table
from engine.cli.rd import find_pictures
from engine.errors import EngineError
from engine.learned import zoo
from engine.learned.card import load_card, write_card

ENOUGH, MOST = 20, 500


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="pictures like those learnt from")
    parser.add_argument("--check", action="store_true", help="say which of them lie outside, and change nothing")


def run_ranges(args: argparse.Namespace, console: Console) -> Answer:
    """Put the ranges into the card, or compare the pictures with those that are there."""
    from engine import carry, io, registry
    from engine.codec import Ctx
    from engine.codecs.learned import LearnedCodec
    from engine.learned import stored
    from engine.learned.domain import Numbers, Ranges

    model = zoo.find(args.id)
    card = load_card(model.path)
    if not args.data.is_dir():
        raise EngineError("is not a folder", path=args.data)
    codec = registry.codec(card["architecture"])
    if not isinstance(codec, LearnedCodec):
        raise EngineError(f"{card['architecture']} has no latent to take ranges of", path=model.path)
    ranges = Ranges.from_card(card)
    if args.check and not ranges.bounds:
        raise EngineError("the card of these weights holds no ranges: take them without --check", path=model.path)
    pictures = find_pictures([args.data])
    found: dict[str, Numbers] = {}
    with stored.encoding_with(model.path):
        for name in list(pictures)[:: -(-len(pictures) // MOST)]:
            console.progress(f"{len(found)} of {min(len(pictures), MOST)} pictures, {name}")
            try:
                image = carry.fit(io.read(pictures[name]).image, codec.info).image
                found[name] = codec.latent_numbers(image, Ctx())
            except EngineError as error:
                console.note(f"{pictures[name]}: {error.plain}")
    judged = {name: numbers for name, numbers in found.items() if numbers}
    if args.check:
        return _checked(model, ranges.unlike, judged)
    if len(judged) < ENOUGH:
        raise EngineError(f"ranges take {ENOUGH} pictures at least; {len(judged)} could be used", path=args.data)
    taken = {"folder": args.data.name, "pictures": len(judged), "numbers": Ranges.of(judged.values()).to_json()}
    write_card(model.path, {**card, "ranges": taken})
    rows = [("", "from", "to"), *((name, f"{lo:.3f}", f"{hi:.3f}") for name, (lo, hi) in taken["numbers"].items())]
    text = f"{model.id}: ranges over {len(judged)} pictures of '{args.data.name}'\n{table(rows, right=(1, 2))}"
    return Answer({"id": model.id, **taken}, text)


def _checked(model: zoo.Model, unlike: Any, judged: dict[str, Any]) -> Answer:
    said = {name: text for name, numbers in judged.items() if (text := unlike(numbers))}
    lines = [f"{name}: {text}" for name, text in said.items()]
    lines.append(f"{model.id}: {len(said)} of {len(judged)} pictures are unlike what it was trained on")
    return Answer({"id": model.id, "pictures": len(judged), "unlike": said}, "\n".join(lines))
