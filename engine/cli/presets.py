"""List the presets: codecs with settings under names that people know. Wherever a codec is named, a preset may be.

A preset that sets the rate pins it. Presets of your own are TOML files in the folder that is named at the end, which
the window's codec menu saves too.
"""

from __future__ import annotations

import argparse
from itertools import groupby
from typing import Any

from engine import registry
from engine.cli.console import Answer, Console, table
from engine.presets import Preset, folder, presets


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="one preset alone")


def run(args: argparse.Namespace, console: Console) -> Answer:
    found = presets()
    for path, problem in found.problems.items():
        console.note(f"{path}: {problem}")
    if args.id is not None:
        registry.codec(args.id)  # tells apart what is not there
    wanted = [each for each in found.by_id.values() if args.id in (None, each.id)]
    document = {
        "presets": [_told(each) for each in wanted],
        "not_offered": [vars(each) for each in found.not_offered] if args.id is None else [],
        "folder": str(folder()),
    }
    return Answer(document, _text(document))


def _told(preset: Preset) -> dict[str, Any]:
    why = registry.why_not(preset)
    return {
        "id": preset.id,
        "label": preset.label,
        "title": preset.title,
        "codec": preset.codec,
        "settings": dict(preset.settings),
        "available": why is None,
        "why": why,
        "about": preset.about,
        "source": preset.source,
        "file": None if preset.path is None else str(preset.path),
    }


def _text(document: dict[str, Any]) -> str:
    lines = []
    for title, group in groupby(document["presets"], key=lambda each: each["title"]):
        rows = [[f"  {each['id']}", each["label"], _stands_for(each), each["why"] or ""] for each in group]
        lines += [title, table(rows), ""]
    if document["not_offered"]:
        lines += ["Not offered", *(f"  {each['label']}: {each['why']}" for each in document["not_offered"]), ""]
    return "\n".join([*lines, f"your own: {document['folder']}"])


def _stands_for(preset: dict[str, Any]) -> str:
    settings = " ".join(f"{name}={value}" for name, value in preset["settings"].items())
    return f"{preset['codec']} {settings}".rstrip()
