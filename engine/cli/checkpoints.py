"""What `ratescope models` does with checkpoints of CompressAI: import them as codecs, compare them with the package."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.cli.console import Answer, Console, table
from engine.errors import EngineError
from engine.files import make_folder
from engine.learned import needs, zoo
from engine.learned.card import load_card, write_card
from engine.memory import size_text


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="checkpoints as torch saves them, or safetensors"
    )
    parser.add_argument("--id", default="", help="of the codec (default: 'cai-' and the architecture)")
    parser.add_argument("--label", default="", metavar="TEXT", help="what the window calls it")
    parser.add_argument("--licence", default="", metavar="TEXT", help="of the weights, for the card")
    parser.add_argument("--source", default="", metavar="TEXT", help="where they come from, for the card")
    parser.add_argument(
        "--verify", action="store_true", help="fail unless the package compressai is here to compare with"
    )


def run_import(args: argparse.Namespace, console: Console) -> Answer:
    """Import checkpoints; those of one architecture make one codec with a rate for each."""
    needs.require("importing checkpoints")
    from engine.learned.published import peer
    from engine.learned.published.importing import NOT_STATED, Wanted, import_checkpoint

    absent = peer.missing()
    if args.verify and absent:
        raise EngineError(f"nothing to compare with: {absent}")
    folder = zoo.user_folder()
    make_folder(folder)
    wanted = Wanted(args.id, args.label, args.licence or NOT_STATED, args.source)
    cards = []
    for path in args.files:
        console.progress(f"{path.name} …")
        card = import_checkpoint(path, wanted, folder)
        if absent is None:
            console.progress(f"{path.name}: comparing with {peer.PACKAGE} …")
            card["compared"] = _compared(Path(card["file"]), card)
        cards.append(card)
    if absent is not None:
        console.note(f"not compared with the original: {absent}")
    document = {"codecs": sorted({card["codec"] for card in cards}), "checkpoints": cards, "compared": absent is None}
    return Answer(document, _text(cards))


def verify(model: zoo.Model) -> Answer:
    """Check an imported checkpoint: digest, shapes, exact sums, a picture; and the package, where it is."""
    from engine.learned.published import peer, weights
    from engine.learned.published.importing import try_out

    card, content = load_card(model.path), weights.read(model.path)
    tried = try_out(content.shape, content.floats, content.integers)
    absent = peer.missing()
    compared = None if absent else _compared(model.path, card)
    document = {"id": model.id, "file": str(model.path), "digest": card["digest"], "tried": tried, "compared": compared}
    told = absent if compared is None else _compared_text(compared)
    return Answer(document, f"{model.id}: whole and working; {tried['bpp']:.3f} bpp {tried['psnr']:.2f} dB; {told}")


def _compared(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    """What the package makes of a checkpoint; written into its card."""
    from engine.learned.published import peer, weights

    content = weights.read(path)
    try:
        found = peer.compare(content.shape, content.floats, content.integers)
    except EngineError as error:
        raise error.at(path) from error
    write_card(path, {**{name: value for name, value in card.items() if name != "file"}, "compared": found})
    return found


def _text(cards: list[dict[str, Any]]) -> str:
    head = ("codec", "architecture", "size", "bpp", "PSNR", "beside CompressAI")
    rows = [
        (
            card["codec"],
            f"{card['architecture']} N={card['width']} M={card['latent']}",
            size_text(card["bytes"]),
            f"{card['tried']['bpp']:.3f}",
            f"{card['tried']['psnr']:.2f} dB",
            _compared_text(card["compared"]) if "compared" in card else "not compared",
        )
        for card in cards
    ]
    return table([head, *rows], right=(2, 3, 4))


def _compared_text(found: dict[str, Any]) -> str:
    worst = max(found["latent"], found["picture"], found["coded_latent"])
    ties = f", {found['ties']} rounded the other way at ties" if found["ties"] else ""
    return f"within {worst:.1e} of {found['package']}{ties}"
