"""Pictures of a session are found again after a move, and one that is another is not taken for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine import samples
from engine.files import FileMark, mark_file, mark_of
from gui.session.document import SavedSource, Session, dump, parse_bytes
from gui.session.locate import Search, locate, marked


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a session's pictures: project/pictures/{a,b}.png."""
    folder = tmp_path / "project"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "a.png").write_bytes(b"first")
    (folder / "pictures" / "b.png").write_bytes(b"other")
    return folder


def saved(folder: Path) -> tuple[SavedSource, ...]:
    """The sources of a session file in `folder` as they are read from it."""
    sources = tuple(SavedSource(str(path), file=mark_file(path)) for path in sorted((folder / "pictures").iterdir()))
    return parse_bytes(dump(Session(sources=sources), folder)).sources


def test_a_moved_folder_is_found_by_the_way_from_the_session(project: Path, tmp_path: Path) -> None:
    sources = saved(project)
    moved = tmp_path / "far" / "away"
    shutil.move(project, moved)
    found = locate(sources, moved)
    assert [each.path for each in found] == [moved / "pictures" / "a.png", moved / "pictures" / "b.png"]
    assert not any(each.missing for each in found)


def test_a_moved_session_file_finds_its_pictures_where_they_were(project: Path, tmp_path: Path) -> None:
    found = locate(saved(project), tmp_path / "elsewhere")
    assert [each.path for each in found] == [project / "pictures" / "a.png", project / "pictures" / "b.png"]


def test_of_two_files_the_one_with_the_right_content_is_taken(project: Path, tmp_path: Path) -> None:
    sources = saved(project)
    other = tmp_path / "other"
    (other / "pictures").mkdir(parents=True)
    (other / "pictures" / "a.png").write_bytes(b"alien")
    shutil.copy(project / "pictures" / "b.png", other / "pictures" / "b.png")
    found = locate(sources, other)
    assert [each.path for each in found] == [project / "pictures" / "a.png", other / "pictures" / "b.png"]


def test_a_renamed_picture_is_found_beside_the_others(project: Path) -> None:
    sources = saved(project)
    renamed = project / "pictures" / "lamp.png"
    (project / "pictures" / "a.png").rename(renamed)
    assert [each.path for each in locate(sources, project)] == [renamed, project / "pictures" / "b.png"]


def test_a_picture_that_is_gone_is_missing_under_its_name(project: Path) -> None:
    sources = saved(project)
    (project / "pictures" / "a.png").unlink()
    first, second = locate(sources, project)
    assert first.missing and first.path == project / "pictures" / "a.png" and first.file == mark_of(b"first")
    assert not second.missing


def test_paths_of_another_system_are_missing_not_an_error(tmp_path: Path) -> None:
    (found,) = locate([SavedSource(r"C:\pictures\lamp.exr", file=FileMark("00", 1))], tmp_path)
    assert found.missing and found.path == tmp_path / "lamp.exr"


def test_folders_and_devices_are_no_pictures(tmp_path: Path) -> None:
    found = locate([SavedSource(str(tmp_path)), SavedSource("/dev/zero", "x" * 5000)], tmp_path)
    assert all(each.missing for each in found)


def test_a_bundled_picture_needs_no_path() -> None:
    sample = samples.samples()[0]
    (found,) = locate([SavedSource(sample=sample.name)], Path("/nowhere"))
    assert found.path == sample.path and not found.missing


def test_a_search_goes_by_content_and_prefers_the_name(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"same" if name != "c" else b"else")
    search = Search([tmp_path])
    assert search.find("b", mark_of(b"same")) == tmp_path / "b"
    assert search.find("c", mark_of(b"same")) in (tmp_path / "a", tmp_path / "b")
    assert search.find("a", mark_of(b"none")) is None
    assert search.find("a", None) is None


def test_files_that_were_not_read_yet_are_marked_when_saving(project: Path) -> None:
    path = project / "pictures" / "a.png"
    session = marked(Session(sources=(SavedSource(str(path)), SavedSource("/gone.png"))))
    assert [source.file for source in session.sources] == [mark_of(b"first"), None]
