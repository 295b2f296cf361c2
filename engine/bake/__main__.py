"""`python -m engine.bake OUT.exr [SIDE]`: bakes the room, 512 texels a side, in about a minute."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.bake.bake import bake
from engine.bake.room import room
from engine.io import write

if __name__ == "__main__":
    write(Path(sys.argv[1]), bake(room(), int(sys.argv[2]) if len(sys.argv) > 2 else 512))
