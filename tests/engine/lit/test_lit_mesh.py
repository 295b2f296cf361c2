"""Meshes from files: what is read right, and what is refused with a word for people, never with a crash."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import EngineError
from engine.lit.mesh import read_mesh, room_path

POSITIONS = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], "<f4")
FIRST = np.array([(0, 0), (2, 0), (2, 2), (0, 2)], "<f4")
SECOND = np.array([(0, 65535), (65535, 65535), (65535, 0), (0, 0)], "<u2")  # normalised
ORDER = np.array([0, 1, 2, 0, 2, 3], "<u1")
BUFFER = POSITIONS.tobytes() + FIRST.tobytes() + SECOND.tobytes() + ORDER.tobytes()


def document(**changes: Any) -> dict[str, Any]:
    """A square of two triangles with both sets of texture coordinates, in a red material."""
    views = [(0, 48), (48, 32), (80, 16), (96, 6)]
    kinds = [(5126, 4, "VEC3"), (5126, 4, "VEC2"), (5123, 4, "VEC2"), (5121, 6, "SCALAR")]
    accessors: list[dict[str, Any]] = [
        {"bufferView": n, "componentType": kind, "count": count, "type": shape}
        for n, (kind, count, shape) in enumerate(kinds)
    ]
    accessors[2]["normalized"] = True
    primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 1, "TEXCOORD_1": 2}, "indices": 3, "material": 0}
    whole: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [0.5, 0.1, 0.1, 1]}, "doubleSided": True}],
        "accessors": accessors,
        "bufferViews": [{"buffer": 0, "byteOffset": start, "byteLength": size} for start, size in views],
        "buffers": [{"byteLength": len(BUFFER), "uri": "data:a/b;base64," + base64.b64encode(BUFFER).decode()}],
    }
    return whole | changes


def stored(path: Path, whole: dict[str, Any], name: str = "mesh.gltf") -> Path:
    target = path / name
    target.write_text(json.dumps(whole))
    return target


def test_positions_both_uv_sets_and_colours_are_read(tmp_path: Path) -> None:
    mesh = read_mesh(stored(tmp_path, document()))
    assert np.array_equal(mesh.positions, POSITIONS)
    assert np.array_equal(mesh.albedo_uv, FIRST)
    assert np.array_equal(mesh.light_uv, np.array([(0, 1), (1, 1), (1, 0), (0, 0)], np.float32))
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.colours[0].tolist() == pytest.approx([0.5, 0.1, 0.1])
    assert mesh.two_sided.all() and not mesh.notes
    assert mesh.centre.tolist() == [0.5, 0.5, 0]


def test_binary_files_and_files_beside_hold_the_same(tmp_path: Path) -> None:
    wanted = read_mesh(stored(tmp_path, document()))
    (tmp_path / "a buffer.bin").write_bytes(BUFFER)
    beside = document(buffers=[{"byteLength": len(BUFFER), "uri": "a%20buffer.bin"}])
    text = json.dumps(document(buffers=[{"byteLength": len(BUFFER)}])).encode()
    text += b" " * (-len(text) % 4)
    binary = BUFFER + bytes(-len(BUFFER) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    packed = tmp_path / "mesh.glb"
    packed.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    for path in (stored(tmp_path, beside, "beside.gltf"), packed):
        assert np.array_equal(read_mesh(path).light_uv, wanted.light_uv)


def test_nodes_move_turn_scale_and_mirror_what_hangs_below_them(tmp_path: Path) -> None:
    half = 0.5**0.5
    nodes = [
        {"children": [1, 2], "translation": [10, 0, 0]},
        {"mesh": 0, "rotation": [0, 0, half, half], "scale": [2, 1, 1]},  # a quarter turn about z
        {"mesh": 0, "matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 5, 1]},
    ]
    mesh = read_mesh(stored(tmp_path, document(nodes=nodes)))
    second, first = mesh.positions[:4], mesh.positions[4:]
    assert first == pytest.approx(np.array([(10, 0, 0), (10, 2, 0), (9, 2, 0), (9, 0, 0)]), abs=1e-6)
    assert second == pytest.approx(np.array([(10, 0, 5), (9, 0, 5), (9, 1, 5), (10, 1, 5)]), abs=1e-6)
    assert mesh.triangles[0].tolist() == [2, 1, 0]  # mirrored: turned back to face where it did


def test_strips_and_fans_are_cut_into_triangles(tmp_path: Path) -> None:
    for mode, wanted in ((5, [[0, 1, 2], [1, 3, 2]]), (6, [[1, 2, 0], [2, 3, 0]])):
        whole = document()
        primitive = whole["meshes"][0]["primitives"][0]
        primitive["mode"] = mode
        del primitive["indices"]
        assert read_mesh(stored(tmp_path, whole)).triangles.tolist() == wanted


def test_a_mesh_without_a_second_set_is_taken_by_its_first_and_that_is_said(tmp_path: Path) -> None:
    whole = document()
    del whole["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_1"]
    mesh = read_mesh(stored(tmp_path, whole))
    assert np.array_equal(mesh.light_uv, FIRST)
    assert "no second UV set" in mesh.notes[0]


def test_an_obj_file_has_the_lightmap_s_places_counted_from_below(tmp_path: Path) -> None:
    path = tmp_path / "quad.obj"
    path.write_text(
        "# a square\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvn 0 0 1\n"
        "f 1/1/1 2/2/1 3/3/1 4/4/1\nf -4/-4 -2/-2 -1/-1\nf 1 2 3\n"
    )
    mesh = read_mesh(path)
    assert len(mesh.triangles) == 3
    corners = mesh.positions[mesh.triangles[0]]
    assert corners.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
    assert mesh.light_uv[mesh.triangles[0]].tolist() == [[0, 1], [1, 1], [1, 0]]
    assert "1 of its faces" in mesh.notes[0]


BROKEN: dict[str, Any] = {
    "version": {"asset": {"version": "1.0"}},
    "no asset": {"asset": None},
    "extension": {"extensionsRequired": ["KHR_draco_mesh_compression"]},
    "view beyond": {"bufferViews": [{"buffer": 0, "byteOffset": 90, "byteLength": 48}] * 4},
    "view of nothing": {"bufferViews": []},
    "negative": {"bufferViews": [{"buffer": 0, "byteOffset": -8, "byteLength": 48}] * 4},
    "short buffer": {"buffers": [{"byteLength": 1 << 39, "uri": "data:;base64,AAAA"}]},
    "no base64": {"buffers": [{"byteLength": 1, "uri": "data:;base64,?"}]},
    "outside": {"buffers": [{"byteLength": 1, "uri": "../secret"}]},
    "far outside": {"buffers": [{"byteLength": 1, "uri": "/etc/hostname"}]},
    "elsewhere": {"buffers": [{"byteLength": 1, "uri": "http://somewhere/x"}]},
    "not there": {"buffers": [{"byteLength": 1, "uri": "none.bin"}]},
    "loop": {"nodes": [{"children": [0], "mesh": 0}], "scenes": [{"nodes": [0]}]},
    "no node": {"nodes": [{"children": [7]}]},
    "bad matrix": {"nodes": [{"mesh": 0, "matrix": [1, 2]}]},
    "wild numbers": {"nodes": [{"mesh": 0, "translation": [1e300, 0, 0]}]},
    "nothing": {"nodes": []},
    "meshes no list": {"meshes": {"0": 1}},
    "material": {"materials": [7]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_a_file_claims_and_has_not_is_refused(name: str, tmp_path: Path) -> None:
    path = stored(tmp_path, document(**BROKEN[name]))
    with pytest.raises(EngineError, match=r"mesh\.gltf|none\.bin"):
        read_mesh(path)


@pytest.mark.parametrize(
    ("accessor", "changes"),
    [
        (0, {"count": 1 << 39}),
        (0, {"count": 5_000_000}),
        (0, {"count": 3}),
        (0, {"componentType": 9}),
        (0, {"type": "VEC2"}),
        (0, {"byteOffset": 4}),
        (0, {"sparse": {}}),
        (3, {"componentType": 5126, "count": 1}),
        (3, {"bufferView": 2}),
    ],
)
def test_accessors_that_do_not_fit_are_refused(accessor: int, changes: dict[str, Any], tmp_path: Path) -> None:
    whole = document()
    whole["accessors"][accessor] |= changes
    with pytest.raises(EngineError, match="mesh"):
        read_mesh(stored(tmp_path, whole))


def test_a_view_with_a_stride_too_small_is_refused(tmp_path: Path) -> None:
    whole = document()
    whole["bufferViews"][0]["byteStride"] = 4
    with pytest.raises(EngineError, match="reaches beyond"):
        read_mesh(stored(tmp_path, whole))


@pytest.mark.parametrize("text", ["", "v 1 2", "v 1 2 x", "f 1/1 2/2 3/3", "v 1 2 3\nvt 0 0\nf 1/1 1/1", "v nan 0 0"])
def test_obj_files_that_make_no_sense_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mesh.obj"
    path.write_text(text)
    with pytest.raises(EngineError, match=r"mesh\.obj"):
        read_mesh(path)


def test_a_damaged_file_is_read_or_refused_but_never_breaks_anything(tmp_path: Path) -> None:
    """Bytes changed and files cut short, at random: a mesh whose every index is in bounds, or a message."""
    data, rng, path = room_path().read_bytes(), np.random.default_rng(5), tmp_path / "mesh.glb"
    refused = 0
    for round_ in range(150):
        broken = bytearray(data)
        reach = len(broken) if round_ % 3 else 2000  # the description is where damage does most
        for place in rng.integers(0, reach, rng.integers(1, 6)):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(broken[: rng.integers(1, len(broken))] if round_ % 5 == 0 else broken)
        try:
            mesh = read_mesh(path)
        except EngineError:
            refused += 1
            continue
        assert mesh.triangles.min() >= 0 and mesh.triangles.max() < len(mesh.positions)
        assert np.isfinite(mesh.positions).all()
    assert 40 < refused < 150
