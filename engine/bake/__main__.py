"""`python -m engine.bake OUT.exr [SIDE]`: bakes the room, 512 texels a side, in about a minute.
Its mesh, `room.glb`, is put beside OUT.

`python -m engine.bake FOLDER --many N [--seed S]`: bakes N scenes by chance into a folder, several maps of each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.bake.bake import bake, charts
from engine.bake.mesh import to_glb
from engine.bake.room import room
from engine.bake.varied import bake_many
from engine.files import atomic_write
from engine.io import write

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m engine.bake", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("side", type=int, nargs="?", default=512)
    parser.add_argument("--many", type=int, metavar="N", help="so many scenes by chance, into a folder")
    parser.add_argument("--seed", type=int, default=1, help="of the first scene; the next has the next number")
    options = parser.parse_args()
    if options.many is None:
        scene, side = room(), options.side
        atomic_write(options.out.with_name("room.glb"), to_glb(scene.surfaces, charts(scene, side), side))
        write(options.out, bake(scene, side))
    else:
        for path in bake_many(options.out, options.many, options.seed):
            print(path, flush=True)
