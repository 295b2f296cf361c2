"""Names of bakes: which files belong together, and what each of them stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.image import Meaning
from engine.light_sets.names import Map, bake_of, bakes, layers_of, meaning_of

LIGHT, DIRECTION, MASK = Meaning.LIGHT, Meaning.DIRECTION, Meaning.MASK


def files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("engine", "name", "maps"),
    [
        (
            "Unity",
            "Lightmap-3",
            {
                "Lightmap-3_comp_light.exr": LIGHT,
                "Lightmap-3_comp_dir.png": DIRECTION,
                "Lightmap-3_comp_shadowmask.png": MASK,
            },
        ),
        ("Bakery", "Hall_LM0", {"Hall_LM0_final.hdr": LIGHT, "Hall_LM0_dir.png": DIRECTION, "Hall_LM0_mask.png": MASK}),
        ("Godot", "level", {"level.exr": LIGHT, "level_shadow.png": MASK}),
        ("Godot", "level_1", {"level_1.exr": LIGHT, "level_shadow_1.png": MASK}),
        ("Unreal", "0_3", {"HQ_Lightmap0_3.exr": LIGHT, "LQ_Lightmap_0_3.exr": LIGHT}),
    ],
)
def test_the_maps_of_a_bake_are_known_by_their_names(
    tmp_path: Path, engine: str, name: str, maps: dict[str, Meaning]
) -> None:
    paths = files(tmp_path, *reversed(maps), "other.png", "Lightmap-4_comp_light.exr", "floor_dir.png", "a_mask.png")
    (found,) = bakes(paths)
    assert (found.engine, found.name) == (engine, name)
    assert set(found.maps) == {Map(tmp_path / each, meaning) for each, meaning in maps.items()}
    assert found.maps[0].meaning is LIGHT
    assert bake_of(paths[0]) == found


def test_a_name_says_what_the_channels_stand_for(tmp_path: Path) -> None:
    files(tmp_path, "Hall_final.hdr", "Hall_dir.png", "level.exr", "level_shadow.png")
    told = {
        "Lightmap-0_comp_dir.png": DIRECTION,
        "project__lightmap-0_COMP_DIR.PNG": DIRECTION,
        "Lightmap-12_comp_shadowmask.png": MASK,
        "Lightmap-0_comp_light.exr": None,
        "Hall_dir.png": DIRECTION,
        "level_shadow.png": MASK,
        "level.exr": None,
        "my_dir.png": None,
        "tree_shadow.png": None,
        "Lightmap-0_comp_dir.txt": None,
    }
    assert {name: meaning_of(tmp_path / name) for name in told} == told


def test_names_count_within_one_folder_only(tmp_path: Path) -> None:
    one, other = tmp_path / "a", tmp_path / "b"
    one.mkdir()
    other.mkdir()
    apart = [*files(one, "Lightmap-0_comp_light.exr"), *files(other, "Lightmap-0_comp_dir.png")]
    assert bakes(apart) == []
    assert bake_of(apart[0]) is None
    assert bake_of(tmp_path / "missing" / "Lightmap-0_comp_light.exr") is None


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ('[remap]\nimporter="2d_array_texture"\n[params]\nslices/horizontal=1\nslices/vertical=4\n', 4),
        ('importer="texture"\nslices/vertical=4\n', 1),
        ('importer="2d_array_texture"\nslices/vertical=99999\n', 1),
        ("\0\xff", 1),
    ],
)
def test_godots_layers_are_told_by_the_import_file(tmp_path: Path, text: str, layers: int) -> None:
    (path,) = files(tmp_path, "level.exr")
    assert layers_of(path) == 1
    (tmp_path / "level.exr.import").write_text(text, encoding="latin-1")
    assert layers_of(path) == layers
