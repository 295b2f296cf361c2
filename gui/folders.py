"""Which files of a dropped folder are worth a row."""

from __future__ import annotations

import os
from pathlib import Path

_COMMON = ".png .jpg .jpeg .jpe .webp .avif .tif .tiff .bmp .gif"
_SPECIAL = ".jxl .jp2 .j2k .jpx .ppm .pgm .pnm .exr .hdr .dds .ktx2"
SUFFIXES = frozenset(f"{_COMMON} {_SPECIAL}".split())
MOST = 2000


def pictures_in(folder: Path) -> list[Path]:
    """Pictures below `folder`, by suffix, in the order people read names; hidden ones and links to folders left out.

    Stops after `MOST`. Single files are never judged by their suffix; only folders are.
    """
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files, key=str.casefold):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                found.append(Path(here, name))
                if len(found) >= MOST:
                    return found
    return found
