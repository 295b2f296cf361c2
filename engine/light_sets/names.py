"""Which maps are one bake, and what each of them stands for: told by the names that engines give them.

| engine | light | direction | shadow mask |
|---|---|---|---|
| Unity | `Lightmap-3_comp_light` | `Lightmap-3_comp_dir` | `Lightmap-3_comp_shadowmask` |
| Bakery | `NAME_final` | `NAME_dir` | `NAME_mask` |
| Godot | `NAME`, `NAME_0` | in layers of the light | `NAME_shadow`, `NAME_shadow_0` |
| Unreal | `HQ_Lightmap0_3`, `LQ_Lightmap_0_3` | in the lower half of the light | |

Names that others use too (Bakery's and Godot's) count only where the light of the same bake lies beside them. Sources:
Unity's manual, "Lightmap data format" and "Directional Mode"; `LightmapGI::bake` of Godot (scene/3d/lightmap_gi.cpp);
`GetLightmapName` of Unreal (LightMap.cpp); Bakery's documentation, "Output files".
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.image import Meaning

PICTURES = frozenset([".exr", ".hdr", ".png", ".tif", ".tiff", ".dds", ".ktx2", ".bmp"])
MOST_LOOKED_AT = 5000  # entries of a folder
_IMPORT_BYTES = 1 << 16
_MOST_LAYERS = 1024
_PART = re.compile(r"(.+?)(_\d+)?")
_LAYERS = re.compile(r"^slices/vertical=(\d{1,4})\s*$", re.MULTILINE)
ORDER = (Meaning.LIGHT, Meaning.DIRECTION, Meaning.MASK)


@dataclass(frozen=True)
class Rule:
    """One kind of name. pattern: of the name without its suffix; group `bake` names the bake, with `part` if there is.

    certain: no other program writes such names, so the light of the bake need not be there.
    """

    engine: str
    meaning: Meaning
    pattern: re.Pattern[str]
    certain: bool = True


def _rule(engine: str, meaning: Meaning, pattern: str, *, certain: bool = True) -> Rule:
    return Rule(engine, meaning, re.compile(pattern, re.IGNORECASE), certain)


RULES: tuple[Rule, ...] = (
    _rule("Unity", Meaning.LIGHT, r"(?P<bake>.*lightmap-\d+)_comp_light"),
    _rule("Unity", Meaning.DIRECTION, r"(?P<bake>.*lightmap-\d+)_comp_dir"),
    _rule("Unity", Meaning.MASK, r"(?P<bake>.*lightmap-\d+)_comp_shadowmask"),
    _rule("Unreal", Meaning.LIGHT, r"(?P<high>HQ_Lightmap)(?P<bake>\d+_\d+)"),
    _rule("Unreal", Meaning.LIGHT, r"(?P<low>LQ_Lightmap)_(?P<bake>\d+_\d+)"),
    _rule("Bakery", Meaning.LIGHT, r"(?P<bake>.+)_final", certain=False),
    _rule("Bakery", Meaning.DIRECTION, r"(?P<bake>.+)_dir", certain=False),
    _rule("Bakery", Meaning.MASK, r"(?P<bake>.+)_mask", certain=False),
    _rule("Godot", Meaning.MASK, r"(?P<bake>.+)_shadow(?P<part>_\d+)?", certain=False),
)


@dataclass(frozen=True)
class Map:
    """One file of a bake."""

    path: Path
    meaning: Meaning


@dataclass(frozen=True)
class Bake:
    """The maps of one bake, light first. name: what their names have in common."""

    name: str
    engine: str
    maps: tuple[Map, ...]


def meaning_of(path: Path) -> Meaning | None:
    """DIRECTION or MASK if the name says so, else None: what the samples say. It may look into the file's folder."""
    found = _by_rule(path, _Folder(path.parent))
    return found[2] if found is not None and found[2] is not Meaning.LIGHT else None


def bakes(paths: Iterable[Path]) -> list[Bake]:
    """The bakes of two maps or more among `paths`, in their order. Names count within one folder; no disk is read."""
    wanted = list(dict.fromkeys(paths))
    folders: dict[Path, _Stems] = {}
    for path in wanted:
        folders.setdefault(path.parent, _Stems([])).add(path)
    found: dict[tuple[Path, str, str], tuple[str, list[Map]]] = {}
    for path in wanted:
        placed = _placed(path, folders[path.parent])
        if placed is not None:
            engine, name, meaning = placed
            found.setdefault((path.parent, engine, name.casefold()), (name, []))[1].append(Map(path, meaning))
    return [
        Bake(name, engine, tuple(sorted(maps, key=lambda each: (ORDER.index(each.meaning), each.path))))
        for (_, engine, _), (name, maps) in found.items()
        if len(maps) > 1
    ]


def bake_of(path: Path) -> Bake | None:
    """The bake that a file belongs to, with what lies beside it; None where it stands alone."""
    beside = sorted(_pictures(path.parent))
    return next((each for each in bakes(beside) if any(one.path == path for one in each.maps)), None)


def layers_of(path: Path) -> int:
    """How many layers lie one under the other in a map of Godot, as the `.import` file beside it says; 1 otherwise."""
    with contextlib.suppress(OSError):
        with path.with_name(path.name + ".import").open("rb") as file:
            text = file.read(_IMPORT_BYTES).decode("utf-8", "replace")
        match = _LAYERS.search(text)
        if '"2d_array_texture"' in text and match is not None:
            return min(max(int(match[1]), 1), _MOST_LAYERS)
    return 1


class _Stems:
    """Names without suffix, folded."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._names = {path.stem.casefold() for path in paths}

    def add(self, path: Path) -> None:
        self._names.add(path.stem.casefold())

    def has(self, stem: str) -> bool:
        return stem.casefold() in self._names


class _Folder:
    """The names in a folder, read when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _stems(self) -> _Stems:
        return _Stems(_pictures(self._folder))

    def has(self, stem: str) -> bool:
        return self._stems.has(stem)


def _pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, of its first entries; none where it cannot be read."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [folder / entry.name for entry in itertools.islice(entries, MOST_LOOKED_AT)]
        return [path for path in found if path.suffix.lower() in PICTURES]
    return []


def _placed(path: Path, near: _Stems | _Folder) -> tuple[str, str, Meaning] | None:
    """Engine, name of the bake and meaning of a map; None for a file of no bake."""
    found = _by_rule(path, near)
    if found is not None or path.suffix.lower() not in PICTURES:
        return found
    numbered = _PART.fullmatch(path.stem)
    if numbered is not None and near.has(f"{numbered[1]}_shadow{numbered[2] or ''}"):
        return "Godot", path.stem, Meaning.LIGHT
    return None


def _by_rule(path: Path, near: _Stems | _Folder) -> tuple[str, str, Meaning] | None:
    """The same by the name of the file itself, which is all that Godot's light does without."""
    if path.suffix.lower() not in PICTURES:
        return None
    for rule in RULES:
        match = rule.pattern.fullmatch(path.stem)
        if match is None:
            continue
        name = match["bake"] + (match.groupdict().get("part") or "")
        if rule.certain or (rule.engine == "Bakery" and near.has(f"{name}_final")):
            return rule.engine, name, rule.meaning
        if rule.engine == "Godot" and near.has(name):
            return rule.engine, name, rule.meaning
    return None
