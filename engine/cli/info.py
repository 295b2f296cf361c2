"""Say what a compressed file is made of: format, codec, sections in bytes, checksums, digest of its pixels.

And where in the picture its bits went, as a picture (PNG) or as numbers (NPY: rows × columns of float32).
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from engine import container, io, native, registry
from engine.cli.console import Answer, Console, table
from engine.cli.decode import shape
from engine.cli.pictures import add_kind, decode_file, full_ctx, kind_of, refuse_same, require_suffix
from engine.codec import Detailed, Mapped
from engine.display import heat
from engine.doctor import Finding, examine
from engine.errors import EngineError, Unsupported
from engine.files import atomic_write
from engine.formats import Format, identify, sections
from engine.image import Image, Meaning
from engine.light_sets.names import bake_of, layers_of, meaning_of


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)
    add_kind(parser)
    parser.add_argument("--bits", metavar="OUT.{png,npy}", type=Path, help="write the bits that each pixel cost")


def run(args: argparse.Namespace, _console: Console) -> Answer:
    if args.bits is not None:
        require_suffix(args.bits, (".png", ".npy"), "a map of bits")
        refuse_same(args.file, args.bits)
    data = io.read_bytes(args.file)
    try:
        form, parts = identify(data), sections(data)
    except EngineError as error:
        raise error.at(args.file) from error
    image, findings = _decoded(args.file, form, kind_of(args))
    document: dict[str, Any] = {
        "file": str(args.file),
        "format": form.name,
        "codec": form.codec,
        "bytes": len(data),
        "bpp": 8 * len(data) / (image.width * image.height),
        **shape(image),
        **_bake(args.file, image),
        "sections": [part.__dict__ for part in parts],
        "light": _light(data) if form.ours else None,
        "findings": [{**asdict(each), "first": list(each.first)} for each in findings],
        **_details(data, form),
        "checksums": {"crc32c": f"{native.crc32c(data):08x}", "sha256": hashlib.sha256(data).hexdigest()},
    }
    text = _text(document)
    if args.bits is not None:
        document["bits_map"] = _write_bits(args, data, form)
        text += f"\n\n{_bits_text(document['bits_map'])}"
    return Answer(document, text)


def _write_bits(args: argparse.Namespace, data: bytes, form: Format) -> dict[str, Any]:
    codec = registry.codec(form.codec) if form.codec else None
    if not isinstance(codec, Mapped):
        name = codec.info.label if codec else form.name
        raise Unsupported(f"{name} does not tell where its bits went").at(args.file)
    try:
        found = codec.bit_map(data, full_ctx())
    except EngineError as error:
        raise error.at(args.file) from error
    hi = float(np.percentile(found.bits, 99.9))
    if args.bits.suffix.lower() == ".png":
        io.write_png(args.bits, Image(heat(found.bits, 0.0, hi, "ice")))
    else:
        out = BytesIO()
        np.save(out, found.bits)
        atomic_write(args.bits, out.getvalue())
    on_map = float(found.bits.sum(dtype=np.float64)) / 8
    return {"file": str(args.bits), "lo": 0.0, "hi": hi, "bytes": on_map, "apart": dict(found.apart)}


def _bits_text(bits: dict[str, Any]) -> str:
    rows = [("on the map", f"{bits['bytes']:.0f}"), *((name, str(size)) for name, size in bits["apart"].items())]
    drawn = f", black 0 to white {bits['hi']:.3g} bits per pixel" if bits["file"].lower().endswith(".png") else ""
    return f"{table([('bits', 'bytes'), *rows], right=(1,))}\n{bits['file']}: bits of every pixel{drawn}"


def _bake(path: Path, image: Image) -> dict[str, Any]:
    """What the channels stand for, the layers, and the bake that the file belongs to, None where it stands alone."""
    found = bake_of(path.absolute())
    bake = None
    if found is not None:
        maps = [{"file": each.path.name, "kind": str(each.meaning)} for each in found.maps]
        bake = {"name": found.name, "engine": found.engine, "maps": maps}
    return {"kind": str(image.meaning), "layers": layers_of(path), "bake": bake}


def _bake_rows(info: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "kind", info["kind"]
    if info["layers"] > 1:
        yield "layers", f"{info['layers']} of {info['width']}×{info['height'] // info['layers']}, one under the other"
    if info["bake"]:
        maps = ", ".join(f"{each['file']} ({each['kind']})" for each in info["bake"]["maps"])
        yield "bake", f"{info['bake']['name']}, as {info['bake']['engine']} names it: {maps}"


def _decoded(path: Path, form: Format, meaning: Meaning | None) -> tuple[Image, tuple[Finding, ...]]:
    """The picture, and what the doctor finds in it."""
    if form.codec is None or (not form.ours and (meaning or meaning_of(path)) is not None):
        loaded = io.read(path, full_ctx(), meaning=meaning)
        return loaded.image, loaded.findings
    image = decode_file(path, None, full_ctx()).image
    return image, examine(image)


def _details(data: bytes, form: Format) -> dict[str, Any]:
    codec = registry.codec(form.codec) if form.codec else None
    return codec.details(data, full_ctx()) if isinstance(codec, Detailed) else {}


def _light(data: bytes) -> dict[str, Any] | None:
    """How our stream codes floats, and in which format; None where it holds code values."""
    stream = container.read(data)
    if stream.picture.transfer is None:
        return None
    file = stream.sections.get(container.Section.FILE)
    transfer = stream.picture.transfer
    return {
        "transfer": "log2(x + 2^-10)",
        "stops": transfer.span,
        "brightest": transfer.brightest,
        "file": io.reader_of(file).format if file is not None else None,
    }


def _light_text(light: dict[str, Any]) -> str:
    inside = f", in a {light['file']} file" if light["file"] else ""
    return f"log2(x + 2⁻¹⁰) over {light['stops']:g} stops, up to {light['brightest']:.4g}{inside}"


def _text(info: dict[str, Any]) -> str:
    rows = [
        ("format", info["format"] + (f", decoded by {info['codec']}" if info["codec"] else "")),
        (
            "picture",
            f"{info['width']}×{info['height']}, {info['channels']} channels, {info['bits']} bit, {info['color']}",
        ),
        *_bake_rows(info),
        ("size", f"{info['bytes']} bytes, {info['bpp']:.4f} bits per pixel"),
        *([("light", _light_text(info["light"]))] if info["light"] else []),
        *((name, str(info[name])) for name in ("weights", "rate", "symbols") if name in info),
        ("pixels", info["pixels"]),
        *((name, value) for name, value in info["checksums"].items()),
    ]
    parts = [
        (part["name"] + (f" ×{part['count']}" if part["count"] > 1 else ""), str(part["size"]))
        for part in info["sections"]
    ]
    text = f"{info['file']}\n{table(rows)}\n\n{table([('section', 'bytes'), *parts], right=(1,))}"
    return "\n".join([text, *([""] if info["findings"] else []), *map(_finding_text, info["findings"])])


def _finding_text(finding: dict[str, Any]) -> str:
    x, y = finding["first"]
    fix = f" (--fix {finding['fix']})" if finding["fix"] else ""
    return f"{finding['title']}, the first at x {x}, y {y}: {finding['words']}{fix}"
