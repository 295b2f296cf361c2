"""Fuzzes the C library: `python csrc/fuzz/run.py --runs 1000000 [TARGET …]` (clang with libFuzzer).

For every target: builds it with AddressSanitizer and UndefinedBehaviorSanitizer, runs libFuzzer from the corpus and
the seeds, keeps the smallest set of inputs with the same coverage in tests/fuzz/corpus, and prints how many
executions there were and how many lines of the decoder the corpus reaches. A finding stops it, and is kept in
build/fuzz: once mended, it becomes a seed. The test suite replays the corpus with any compiler
(tests/fuzz/test_replay.py) and compares what was refused and what was decoded: `--replay` accepts a change of that.

`--within 2` starts from those inputs that are decoded within two milliseconds, for more executions in the same time; it
leaves nothing out of the corpus.

With many cores, `--jobs N` runs N processes of a target at a time, each on its own way from the same inputs; together
they make the executions asked for, and what all of them found is minimised. To fuzz on other machines: `--build-only`
leaves the program build/fuzz/fuzz and the inputs build/fuzz/TARGET-known, which need nothing else there
(`FUZZ_TARGET=rans ./fuzz NEW rans-known`); `--runs 0 --found FOLDER` then takes what FOLDER/TARGET holds into the
corpus.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
DIGESTS = ROOT / "tests" / "fuzz" / "digests.json"
WORK = ROOT / "build" / "fuzz"

SANITIZERS = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
# Telling libFuzzer the operands of every comparison, as is its default, takes four fifths of the time, most of it for
# the sanitizers' own checks of bounds. It finds magic numbers: the seeds hold those of our formats.
FUZZER = ["-O2", "-fsanitize=fuzzer", "-fno-sanitize-coverage=trace-cmp"]
# With its C++ library inside, the program starts on machines that have none.
FUZZER += ["-static-libstdc++", "-static-libgcc", "-Wno-unused-command-line-argument"]
# Starts that are the same every time are made once: see once.c.
FUZZER += [f"-Wl,--wrap={name}" for name in ("logistic_tables", "wavelet_model_start", "nibble_start_models")]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-pass-failed"]  # the last: loops that -O1 does not unroll
# An input's sanitizer report ends the process; what the harness itself leaves behind is no finding.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}

# Nothing is freed while a target runs, so that there is nothing to keep in quarantine; stacks of allocations come from
# running a finding again.
FAST_MEMORY = "malloc_context_size=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
# What is rare decides which input is tried next; keeping account of more of it than this, or as much of inputs that
# take long, would take more time than decoding.
SCHEDULE = [
    "-entropic_scale_per_exec_time=1",
    "-entropic_feature_frequency_threshold=1",
    "-entropic_number_of_rarest_features=64",
]

# Bytes; 2000 for the others.
MAX_INPUT = {
    "jpeg": 1400,
    "wavelet": 1500,
    "nibble": 1500,
    "dctr": 1200,
    "encoders": 400,
    "mixture": 600,
    "raster": 700,
}

WAVELET_SAMPLES = [
    "wavelet_geometry.h",
    "wavelet_quantise.c",
    "wavelet_planes.c",
    "wavelet_samples.h",
    "wavelet_samples_kernel.h",
    "dwt.c",
    "dwt.h",
    "dwt_kernel.h",
]

# Whose lines count as a decoder: these files, without what only encodes.
DECODERS = {
    "rans": ["rans.c"],
    "huffman": ["huffman.c"],
    "ranx": ["rans_indexed.c", "rans_tables.h"],
    "binary": ["rangecoder.c", "rangecoder.h"],
    "latent": ["latent_coder.c", "rans_tables.h"],
    "networks": ["latent_conv.c", "latent_model.c"],
    "mixture": ["latent_mixture.c", "latent_mixture.h"],
    "raster": ["latent_raster.c"],
    "jpeg": ["jpeg_read.c", "jpeg_scan.c", "jpeg_frame.c", "jpeg_color.c", "dct8.c"],
    "dctr": [
        "dctr_blocks.c",
        "dctr_start.c",
        "dctr_model.h",
        "rans_binary.h",
        "logistic.c",
        "logistic.h",
        "jpeg_frame.c",
    ],
    "wavelet": [
        "wavelet_bands.c",
        "wavelet_model.c",
        "wavelet_model.h",
        "logistic.c",
        "rangecoder.h",
        *WAVELET_SAMPLES,
    ],
    "nibble": [
        "wavelet_nibble.c",
        "wavelet_nibble.h",
        "wavelet_nibble_state.c",
        "wavelet_nibble_model.c",
        "wavelet_nibble_kernel.h",
        "wavelet_nibble_plain.c",
        *WAVELET_SAMPLES,
    ],
}
ENCODER_ONLY = re.compile(
    r"encod|forward|_bound$|^put_|^r[cb]_put|^rc_carry|^rb_writer|^rb_flush|^normalise$|zigzag$|put_word$|^write_lengths$|^rs_jpeg_(planes|halve|blocks)$"
    r"|^halve|^to_sample$|^rsi_frame_make$|^clamp12$|^rs_huffman_lengths$|^merge_level$|^walk_back$|^sort_by_weight$"
    r"|^decide$|^magnitude_cost$|^cost_of$|^worthwhile$|^is_empty$|^nearest$|^rs_plane_load$|^rs_wavelet_centres$"
    r"|^rs_gradient_products$|^add_products$|^push|^bit_length$|^rans_(put_word|zigzag)$"
)
REQUIRED_COVERAGE = 90.0


def targets() -> list[str]:
    """Names of all targets, out of the list in fuzz.h."""
    listed = re.search(r"#define FUZZ_TARGETS\(X\)((?:.*\\\n)*.*)", (HERE / "fuzz.h").read_text(encoding="utf-8"))
    assert listed is not None
    return re.findall(r"X\((\w+),", listed[1])


def build(compiler: str, output: Path, flags: list[str]) -> Path:
    """The library and all targets in one program."""
    sources = sorted([*HERE.parent.glob("*.c"), *HERE.glob("*.c")])
    folder = output.with_suffix(".o")
    folder.mkdir(parents=True, exist_ok=True)
    common = [compiler, "-std=c11", "-g", "-O1", "-ffp-contract=off", "-fno-omit-frame-pointer", *WARNINGS, *flags]

    def compile_one(source: Path) -> str:
        made = str(folder / f"{source.stem}.o")
        subprocess.run([*common, "-c", str(source), "-o", made], check=True, cwd=ROOT)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    subprocess.run([*common, *objects, "-o", str(output), "-lm"], check=True, cwd=ROOT)
    return output


def pack(inputs: list[bytes]) -> bytes:
    """A corpus file: each input behind its size (u32)."""
    return b"".join(len(data).to_bytes(4, "little") + data for data in dict.fromkeys(inputs))


def unpack(packed: bytes) -> list[bytes]:
    inputs, at = [], 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 4], "little")
        inputs.append(packed[at + 4 : at + 4 + size])
        at += 4 + size
    return inputs


def _fill(folder: Path, inputs: list[bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for data in inputs:
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    return folder


def lay_out(target: str) -> Path:
    """The folder of what fuzzing starts from: seeds and corpus."""
    from csrc.fuzz.seeds import SEEDS

    stored = CORPUS / f"{target}.bin"
    corpus = unpack(stored.read_bytes()) if stored.exists() else []
    return _fill(WORK / f"{target}-known", [*SEEDS[target](), *corpus])


def _libfuzzer(program: Path, target: str, *arguments: str) -> str:
    """What libFuzzer says; raises with it if there was a finding."""
    size = MAX_INPUT.get(target, 2000)
    options = [f"-max_len={size}", "-timeout=20", "-rss_limit_mb=2000", f"-artifact_prefix={WORK}/{target}-", *SCHEDULE]
    memory = f"{ENVIRONMENT['ASAN_OPTIONS']}:{FAST_MEMORY}"
    run = subprocess.run(
        [str(program), *options, *arguments],
        env={**os.environ, **ENVIRONMENT, "ASAN_OPTIONS": memory, "FUZZ_TARGET": target},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if run.returncode != 0:
        raise SystemExit(f"{target}: a finding\n{run.stderr[-6000:]}")
    return run.stderr


def _quick(program: Path, target: str, known: Path, milliseconds: float) -> Path:
    """The folder of those inputs that are decoded within so many milliseconds."""
    repeats = 10
    said = _libfuzzer(program, target, f"-runs={repeats}", *(str(path) for path in sorted(known.iterdir())))
    timed = re.findall(r"^Executed (.*) in (\d+) ms$", said, re.MULTILINE)
    quick = [Path(path).read_bytes() for path, taken in timed if int(taken) <= repeats * milliseconds]
    return _fill(WORK / f"{target}-quick", quick)


def fuzz(program: Path, target: str, chosen: argparse.Namespace) -> int:
    """Run, minimise and store the corpus; the executions."""
    known, runs, jobs, found = lay_out(target), chosen.runs, chosen.jobs, chosen.found
    first = known if chosen.within is None else _quick(program, target, known, chosen.within)
    grown = [_fill(WORK / f"{target}-grown{job}", []) for job in range(jobs)]

    def run_one(folder: Path) -> int:
        counted = [f"-runs={-(-runs // jobs)}", "-print_final_stats=1", "-reload=0"]
        said = _libfuzzer(program, target, *counted, str(folder), str(first))
        executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
        assert executions is not None, said
        return int(executions[1])

    with ThreadPoolExecutor(jobs) as pool:
        executions = sum(pool.map(run_one, grown))
    elsewhere = [found / target] if found is not None and (found / target).is_dir() else []
    smallest = _fill(WORK / f"{target}-smallest", [])
    _libfuzzer(program, target, "-merge=1", *map(str, [smallest, known, *grown, *elsewhere]))
    from csrc.fuzz.seeds import SEEDS

    kept = sorted((path.read_bytes() for path in smallest.iterdir()), key=lambda data: (len(data), data))
    CORPUS.mkdir(parents=True, exist_ok=True)
    (CORPUS / f"{target}.bin").write_bytes(pack([*SEEDS[target](), *kept]))
    return executions


def replay(program: Path, target: str, profile: Path) -> None:
    """Replay the corpus and store its digest: what was refused, accepted and decoded."""
    said = subprocess.run(
        [str(program), target, str(CORPUS / f"{target}.bin")],
        env={**os.environ, "LLVM_PROFILE_FILE": str(profile)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    known = json.loads(DIGESTS.read_text(encoding="ascii")) if DIGESTS.exists() else {}
    known[target] = said.strip()
    DIGESTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="ascii")


def coverage(program: Path, target: str, raw: Path) -> tuple[int, int]:
    """Lines of the decoder that the replay reached, and all of them."""
    profile = WORK / f"{target}.profdata"
    subprocess.run([_llvm("llvm-profdata"), "merge", str(raw), "-o", str(profile)], check=True)
    files = [str(HERE.parent / name) for name in DECODERS[target]]
    report = subprocess.run(
        [_llvm("llvm-cov"), "report", str(program), f"-instr-profile={profile}", "-show-functions", *files],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    best: dict[tuple[str, str], tuple[int, int]] = {}
    file = ""
    for line in report.splitlines():
        if heading := re.match(r"File '(.*)':", line):
            file = heading[1]
        # Name, regions, missed, cover, lines, missed, cover, …
        elif row := re.match(r"(\S+)\s+\d+\s+\d+\s+\S+%\s+(\d+)\s+(\d+)\s", line):
            name, lines = row[1].rpartition(":")[2], int(row[2])
            reached = lines - int(row[3])
            if name != "TOTAL" and not ENCODER_ONLY.search(name):
                # A function of a header is listed once for every file that includes it.
                best[file, name] = max(best.get((file, name), (0, 0)), (reached, lines))
    covered, total = (sum(column) for column in zip(*best.values(), strict=True))
    return covered, total


def _llvm(tool: str) -> str:
    found = shutil.which(tool) or shutil.which(f"{tool}-14")
    if found is None:
        raise SystemExit(f"{tool} is missing: install llvm")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of: {', '.join(targets())} (all)")
    parser.add_argument("--runs", type=int, default=20_000, help="executions of each target (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share these (%(default)s)")
    parser.add_argument("--within", type=float, metavar="MS", help="start from inputs that are decoded as fast as that")
    parser.add_argument("--found", type=Path, metavar="FOLDER", help="take in FOLDER/TARGET, inputs found elsewhere")
    parser.add_argument("--build-only", action="store_true", help="build and lay out the inputs, run nothing")
    parser.add_argument("--replay", action="store_true", help="leave the corpus as it is: only its digest and coverage")
    chosen = parser.parse_args()
    if unknown := set(chosen.targets) - set(targets()):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if chosen.jobs < 1:
        parser.error("--jobs takes a number of at least 1")
    os.chdir(ROOT)
    program = None if chosen.replay else build("clang", WORK / "fuzz", [*FUZZER, *SANITIZERS])
    if chosen.build_only:
        for target in chosen.targets or targets():
            lay_out(target)
        return 0
    counting = build("clang", WORK / "coverage", ["-DREPLAY", "-fprofile-instr-generate", "-fcoverage-mapping"])
    low = False
    for target in chosen.targets or targets():
        done = ""
        if program:
            done = f"{fuzz(program, target, chosen):>10,} executions, no finding"
        reached, profile = "", WORK / f"{target}.profraw"
        replay(counting, target, profile)
        if target in DECODERS:
            covered, total = coverage(counting, target, profile)
            low |= 100 * covered < REQUIRED_COVERAGE * total
            reached = f"{100 * covered / total:5.1f} % of {total} lines"
        size = (CORPUS / f"{target}.bin").stat().st_size
        print(f"{target:<10} {done}  corpus {size / 1024:6.1f} KiB  {reached}", flush=True)
    if low:
        print(f"a decoder is below {REQUIRED_COVERAGE} % of its lines", file=sys.stderr)
    return int(low)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
