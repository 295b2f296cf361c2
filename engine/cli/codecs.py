"""List the codecs: which can run, their settings, and what they carry."""

from __future__ import annotations

import argparse
from typing import Any

from engine import registry
from engine.cli.console import Answer, Console
from engine.codec import Codec, Param, Role


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="*", metavar="ID", help="only these codecs")


def run(args: argparse.Namespace, _console: Console) -> Answer:
    rows = [describe(registry.codec(name)) for name in args.id or registry.codec_ids()]
    return Answer({"codecs": rows}, "\n\n".join(_text(row) for row in rows))


def describe(codec: Codec) -> dict[str, Any]:
    """The codec's row in `ratescope codecs --json`."""
    info, why = codec.info, codec.available()
    return {
        "id": info.id,
        "label": info.label,
        "family": info.family,
        "extension": info.extension,
        "available": why is None,
        "why": why or "",
        "version": codec.version() if why is None else "",
        "about": info.about,
        "params": [param.to_json() for param in info.params],
        "capabilities": info.capabilities.to_json(),
    }


def setting_line(param: Param) -> str:
    """One setting as people read it: what it is, what is allowed, what it is by default."""
    words = [param.allowed(), f"default {param.default}"]
    if param.role is Role.RATE:
        words.append("sets the rate" + {1: ", more is larger", -1: ", more is smaller"}.get(param.better, ""))
    return "; ".join(words) + (f". {param.help}" if param.help else "")


def _text(row: dict[str, Any]) -> str:
    info = registry.codec(row["id"]).info
    state = row["version"] if row["available"] else f"cannot run: {row['why']}"
    lines = [f"{row['id']}: {row['label']} ({state})"]
    if row["about"]:
        lines.append(f"  {row['about']}")
    if info.capabilities.regions:
        lines.append("  takes a painted region (--roi)")
    width = max((len(param.name) for param in info.params), default=0)
    lines += [f"  {param.name:<{width}}  {setting_line(param)}" for param in info.params]
    return "\n".join(lines)
