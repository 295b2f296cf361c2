"""The store: append-only rows, files by hash, several writers, damage."""

from __future__ import annotations

import errno
import math
import os
import platform
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.store import DEFAULT_CAP, Blobs, Recorder, RunStore, machine, open_store, processor
from engine.trial import EncodeKey, RateResult, Target, TargetKind, Trial, blob_hash


def trial(settings: str = "{}", size: int = 1000, *, busy: bool = False, **fields: object) -> Trial:
    key = EncodeKey("picture", "codec", "1", settings)
    return Trial(key, size, size / 1000, busy=busy, **fields)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path) as store:
        yield store


def known(store: RunStore) -> list[Trial]:
    return store.trials("picture", "codec", "1")


def test_a_trial_comes_back_as_it_was(store: RunStore) -> None:
    data = b"a file"
    made = trial(scores={"psnr": 31.5, "ssim": 0.9}, blob=blob_hash(data), encode_s=0.5, decode_s=0.1, stats={"a": [1]})
    store.record(made, data)
    assert known(store) == [made]
    assert store.find(made.key) == made
    assert store.find(EncodeKey("picture", "codec", "2", "{}")) is None
    assert store.blob(made.blob or "") == data


def test_scores_and_times_are_added_and_never_replaced(store: RunStore) -> None:
    store.record(trial(scores={"psnr": 30.0}))
    store.record(trial(size=999, scores={"psnr": 12.0, "mse": math.inf}))
    assert known(store) == [trial(scores={"psnr": 30.0, "mse": math.inf})]


def test_the_latest_answer_to_a_target_comes_back(store: RunStore) -> None:
    target, settings = Target(TargetKind.BPP, 0.5), {"chroma": "4:4:4"}
    first, second = trial('{"q": 1}', scores={"psnr": 30.0}), trial('{"q": 2}')
    asked = ("picture", "codec", "1", settings, target)
    assert store.answer(*asked) is None
    store.record(first)
    store.record_answer(settings, RateResult(first, (first, second), True, 4, target=target))
    store.record_answer(settings, RateResult(second, (second,), False, 1, "cannot", target=target))
    assert store.answer(*asked) == RateResult(second, (second,), False, 0, "cannot", target=target)
    store.record_answer(settings, RateResult(first, (first,), True, 0, target=target))
    assert store.answer(*asked) == RateResult(first, (first,), True, 0, target=target)


def test_an_answer_belongs_to_its_target_settings_and_version(store: RunStore) -> None:
    target, best = Target(TargetKind.BPP, 0.5), trial()
    store.record_answer({}, RateResult(best, (best,), True, 4, target=target))
    assert store.answer("picture", "codec", "1", {}, target) is not None
    assert store.answer("picture", "codec", "1", {}, Target(TargetKind.BPP, 0.6)) is None
    assert store.answer("picture", "codec", "1", {}, Target(TargetKind.BYTES, 0.5)) is None
    assert store.answer("picture", "codec", "1", {"a": 1}, target) is None
    assert store.answer("picture", "codec", "2", {}, target) is None


def test_an_answer_that_is_the_same_again_takes_no_room(store: RunStore) -> None:
    target, best = Target(TargetKind.PSNR, 35.0), trial()
    for _ in range(3):
        store.record_answer({}, RateResult(best, (best,), True, 4, target=target))
    assert store._db.execute("SELECT COUNT(*) FROM answers").fetchone() == (1,)


def test_a_new_version_of_a_metric_leaves_old_scores_aside(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(trial(scores={"psnr": 30.0}))
    monkeypatch.setattr("engine.store.metric_version", lambda _metric: "new")
    assert known(store) == [trial()]
    store.record(trial(scores={"psnr": 31.0}))
    assert known(store) == [trial(scores={"psnr": 31.0})]


def test_undisturbed_times_of_this_machine_win(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(trial(encode_s=1.0, decode_s=1.0))
    store.record(trial(encode_s=2.0, decode_s=2.0, busy=True))
    store.record(trial(encode_s=3.0))
    assert known(store) == [trial(encode_s=1.0, decode_s=1.0)]
    monkeypatch.setattr("engine.store.machine", lambda: machine() + " of somebody else")
    assert known(store) == [trial()]


def test_a_curve_is_sorted_by_rate_and_has_only_what_was_scored(store: RunStore) -> None:
    for size, score in ((3000, 35.0), (1000, 30.0), (2000, None)):
        scores = {} if score is None else {"psnr": score}
        store.record(trial(f'{{"q":{size}}}', size, scores=scores))
    assert store.curve("picture", "codec", "1", "psnr") == [(1.0, 30.0), (3.0, 35.0)]
    assert store.curve("picture", "codec", "1", "ssim") == []


def test_a_damaged_file_is_noticed_and_forgotten(store: RunStore) -> None:
    name = store.blobs.put(b"precious")
    store.blobs.path(name).write_bytes(b"previous")
    assert store.blob(name) is None
    assert store.blobs.put(b"precious") == name
    assert store.blob(name) == b"precious"


def test_a_file_cut_short_is_written_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    name = blobs.put(b"precious")
    blobs.path(name).write_bytes(b"prec")
    blobs.put(b"precious")
    assert blobs.get(name) == b"precious"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name]


def test_pruning_removes_what_was_used_longest_ago_and_keeps_the_rows(store: RunStore) -> None:
    names = []
    for index in range(4):
        data = bytes([index]) * 100
        store.record(trial(f'{{"q":{index}}}', 100, blob=blob_hash(data)), data)
        names.append(blob_hash(data))
        os.utime(store.blobs.path(names[-1]), (index, index))
    assert store.blob(names[0]) is not None  # used again
    assert store.prune(250) == 200
    assert [store.blob(name) is not None for name in names] == [True, False, False, True]
    assert len(known(store)) == 4
    assert store.prune(0) == 200


def test_opening_a_store_holds_its_files_to_the_cap(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        name = store.blobs.put(bytes(1000))
    with RunStore(tmp_path, cap=999) as store:
        assert store.blob(name) is None


@pytest.mark.parametrize("damage", ["cut", "garbage", "middle", "empty"])
def test_a_damaged_data_base_is_set_aside_and_a_new_one_begun(tmp_path: Path, damage: str) -> None:
    with RunStore(tmp_path) as store:
        for index in range(300):
            store.record(trial(f'{{"q":{index}}}', scores={"psnr": 1.0 * index}))
    path = tmp_path / "runs.sqlite"
    content = path.read_bytes()
    half = len(content) // 2
    changed = {"cut": content[:half], "garbage": b"no data base" * 100, "empty": b""}
    path.write_bytes(changed.get(damage, content[:half] + bytes(4096) + content[half + 4096 :]))
    with RunStore(tmp_path) as store:
        assert known(store) == []
        store.record(trial())
        assert known(store) == [trial()]
        if damage != "empty":
            assert "was damaged" in store.notes[0]
            assert len(list(tmp_path.glob("runs.damaged-*.sqlite"))) == 1


def test_damage_found_while_in_use_is_a_plain_error(store: RunStore) -> None:
    store.record(trial())
    store._db.execute("DROP TABLE scores")
    with pytest.raises(EngineError, match="could not be stored"):
        store.record(trial('{"q":1}', scores={"psnr": 1.0}))
    with pytest.raises(EngineError, match="cannot be read"):
        known(store)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match="store of results cannot be opened") as caught:
        RunStore(tmp_path / "file" / "store")
    assert caught.value.path == tmp_path / "file" / "store"


def test_threads_that_share_a_store_do_not_mix_their_writes(store: RunStore) -> None:
    start, failures = threading.Barrier(6), []

    def write(number: int) -> None:
        start.wait()
        for index in range(25):
            try:
                settings = f'{{"q":{number % 3},"i":{index}}}'
                store.record(trial(settings, scores={"psnr": 30.0}, encode_s=0.1), bytes([index]))
                known(store)
            except EngineError as error:
                failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(known(store)) == 75


def test_processes_share_a_store(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from engine.store import RunStore
from engine.trial import EncodeKey, Trial
folder, me = Path(sys.argv[1]), sys.argv[2]
with RunStore(folder) as store:
    for index in range(60):
        for owner in (me, "both"):
            key = EncodeKey("picture", "codec", "1", f'{{"o":"{owner}","q":{index}}}')
            store.record(Trial(key, 100, 1.0, scores={"psnr": 30.0}, encode_s=1.0), bytes([index]))
"""
    root = str(Path(__file__).resolve().parents[2])
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(me)], env={**os.environ, "PYTHONPATH": root})
        for me in range(3)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    with RunStore(tmp_path) as store:
        trials = known(store)
    assert len(trials) == 4 * 60
    assert all(each.scores == {"psnr": 30.0} for each in trials)


def test_a_writer_waits_for_another_ones_transaction(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        other = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")

        def release() -> None:
            time.sleep(0.2)
            other.execute("COMMIT")
            other.close()

        thread = threading.Thread(target=release)
        thread.start()
        store.record(trial())
        thread.join()
        assert known(store) == [trial()]


def test_a_full_disk_is_said_plainly(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EngineError, match="the disk is full"):
        store.record(trial(), b"a file")


def test_a_file_is_seen_under_its_hash_only_when_it_is_whole(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.blobs.path(blob_hash(b"precious"))

    def half(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError):
        store.blobs.put(b"precious")
    assert not path.exists()


def test_a_store_that_cannot_be_opened_gives_way_to_a_passing_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with open_store(tmp_path / "file" / "store") as store:
        assert len(store.notes) == 1 and "will not be kept" in store.notes[0] and str(tmp_path) in store.notes[0]
        store.record(trial())
        assert known(store) == [trial()]
        folder = store.folder
    assert not folder.exists()


def test_a_recorder_tells_once_that_the_disk_is_full(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    told: list[str] = []
    record = Recorder(store, told.append)
    for data in (b"one", b"two"):
        record(trial(), data)
    assert len(told) == 1 and "the disk is full" in told[0]


def test_the_store_keeps_two_gibibytes_of_files_unless_told_otherwise() -> None:
    assert DEFAULT_CAP == 2 << 30


def test_what_just_fits_is_not_pruned(store: RunStore) -> None:
    names = [store.blobs.put(bytes([each]) * 100) for each in range(4)]
    assert store.prune(400) == 0
    assert store.prune(399) == 100
    assert sum(store.blob(name) is not None for name in names) == 3
    assert store.prune(300) == 0
    assert store.prune(101) == 200


def test_a_file_that_is_kept_is_not_written_again(store: RunStore) -> None:
    name = store.blobs.put(b"precious")
    os.utime(store.blobs.path(name), (5, 5))
    store.blobs.put(b"precious")
    assert store.blobs.path(name).stat().st_mtime == 5
    assert store.blobs.path(name) == store.folder / "blobs" / name[:2] / name


def test_the_latest_of_undisturbed_times_is_given(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100, 200))
    monkeypatch.setattr("engine.store.time.time", lambda: float(next(clock)))
    for seconds in (3.0, 1.0, 2.0):
        store.record(trial(encode_s=seconds, decode_s=seconds / 2))
    store.record(trial(encode_s=9.0, decode_s=9.0, busy=True))
    assert known(store) == [trial(encode_s=2.0, decode_s=1.0)]


def test_half_of_a_time_is_better_than_none_and_a_disturbed_one_better_than_half(store: RunStore) -> None:
    store.record(trial(decode_s=0.5))
    assert known(store) == [trial(decode_s=0.5)]
    store.record(trial(encode_s=4.0, decode_s=4.0, busy=True))
    assert known(store) == [trial(encode_s=4.0, decode_s=4.0, busy=True)]


def test_a_score_that_is_no_number_comes_back_as_none(store: RunStore) -> None:
    store.record(trial(scores={"psnr": math.nan, "mse": -math.inf}))
    (found,) = known(store)
    assert math.isnan(found.scores["psnr"]) and found.scores["mse"] == -math.inf


def test_trials_of_one_size_come_in_the_order_in_which_they_were_made(store: RunStore) -> None:
    for settings, size in (("c", 5), ("a", 5), ("b", 4)):
        store.record(trial(f'"{settings}"', size))
    assert [each.key.settings for each in known(store)] == ['"b"', '"c"', '"a"']


def test_another_picture_or_codec_has_trials_of_its_own(store: RunStore) -> None:
    store.record(trial())
    assert store.trials("other", "codec", "1") == store.trials("picture", "other", "1") == []
    assert store.find(EncodeKey("other", "codec", "1", "{}")) is None
    assert store.find(EncodeKey("picture", "codec", "1", "{ }")) is None


def test_a_machine_is_named_by_its_processor_and_its_cores() -> None:
    assert machine().endswith(f", {os.cpu_count()} cores, {platform.system()}")
    assert processor() and ":" not in processor()[:1]
