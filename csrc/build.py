"""Builds `engine._native` from the C library (cffi, API mode).

The declarations are read out of ratescope.h, between its markers, so nothing is declared twice.
`python csrc/build.py` builds in place; setuptools calls `ffi` through `cffi_modules`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parent.parent
HEADER = Path(__file__).resolve().parent / "ratescope.h"


def declarations(header: str) -> str:
    """What cffi needs to know: the marked part of the header."""
    parts = re.findall(r"/\* CFFI-BEGIN \*/(.*?)/\* CFFI-END \*/", header, re.DOTALL)
    if not parts:
        raise SystemExit(f"{HEADER}: no CFFI-BEGIN … CFFI-END")
    return "\n".join(parts)


def sources() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in HEADER.parent.glob("*.c"))


def make() -> FFI:
    gcc_like = sys.platform != "win32"
    ffi = FFI()
    ffi.cdef(declarations(HEADER.read_text(encoding="utf-8")))
    ffi.set_source(
        "engine._native",
        '#include "ratescope.h"',
        sources=sources(),
        include_dirs=["csrc"],
        # Contraction of a*b+c would make bytes depend on the compiler: they must not.
        extra_compile_args=["-O3", "-std=c11", "-ffp-contract=off", "-Wall", "-Wextra"] if gcc_like else ["/O2"],
    )
    return ffi


ffi = make()

if __name__ == "__main__":
    import os

    os.chdir(ROOT)
    ffi.compile(verbose="-v" in sys.argv)
