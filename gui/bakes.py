"""The pictures of the session as the list shows them: the maps of one bake are one entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.light_sets.names import Bake, bake_of, bakes
from gui.models.sources_model import BakeMap, SourceItem
from gui.presenters import MAP_NAMES, source_item
from gui.state import Source


class Bakes:
    """Groups sources by their names, anew only when other files are open."""

    def __init__(self) -> None:
        self._paths: tuple[Path, ...] = ()
        self._found: list[Bake] = []
        self._shown: dict[str, int] = {}  # by the path of a bake's first map: the source that was looked at last

    def items(self, sources: Sequence[Source], chosen: int | None) -> list[SourceItem]:
        """The list's entries in order; a bake stands where its first map stands. chosen: the current source."""
        by_path = {source.path: source for source in sources}
        grouped: dict[Path, Bake] = {}
        for bake in self.among(tuple(by_path)):
            grouped |= dict.fromkeys((each.path for each in bake.maps), bake)
        entries: list[SourceItem] = []
        told: set[int] = set()
        for source in sources:
            its = grouped.get(source.path)
            if its is None:
                entries.append(source_item(source))
            elif id(its) not in told:
                told.add(id(its))
                entries.append(self._entry(its, by_path, chosen))
        return entries

    def among(self, paths: tuple[Path, ...]) -> list[Bake]:
        """The bakes among these files."""
        if paths != self._paths:
            self._paths, self._found = paths, bakes(paths)
        return self._found

    def _entry(self, bake: Bake, by_path: dict[Path, Source], chosen: int | None) -> SourceItem:
        members = [by_path[each.path] for each in bake.maps]
        names = labels(bake)
        key = str(members[0].path)
        if chosen in [source.id for source in members]:
            assert chosen is not None
            self._shown[key] = chosen
        shown = next((each for each in members if each.id == self._shown.get(key)), members[0])
        maps = tuple(
            BakeMap(str(source.id), name, str(source.path), source.error)
            for source, name in zip(members, names, strict=True)
        )
        return replace(source_item(shown), id=str(members[0].id), name=bake.name, maps=maps, shown=str(shown.id))


def labels(bake: Bake) -> list[str]:
    """What each map of a bake is, in a word; of two alike, what tells their names apart."""
    names = [MAP_NAMES[each.meaning] for each in bake.maps]
    alike = {name for name in names if names.count(name) > 1}
    return [
        each.path.stem.split("_")[0] if name in alike else name for name, each in zip(names, bake.maps, strict=True)
    ]


def whole_bake(path: Path) -> list[Path]:
    """This file first, then the others of its bake that lie beside it."""
    bake = bake_of(path)
    return [path] if bake is None else [path, *(each.path for each in bake.maps if each.path != path)]


def bake_around(sources: Sequence[Source], current: int | None) -> Bake | None:
    """The bake that the current source is a map of; None where it stands alone."""
    at = next((source.path for source in sources if source.id == current), None)
    found = bakes(source.path for source in sources)
    return next((bake for bake in found if any(each.path == at for each in bake.maps)), None)


def next_map(sources: Sequence[Source], current: int | None, step: int = 1) -> int | None:
    """The source that holds the next map of the current one's bake; None where it stands alone."""
    bake = bake_around(sources, current)
    if bake is None or current is None:
        return None
    by_path = {source.path: source.id for source in sources}
    ids = [by_path[each.path] for each in bake.maps]
    return ids[(ids.index(current) + step) % len(ids)]
