# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What the meter costs, beside the floor that nobody can avoid and beside other meters.

``make bench`` writes the tables and plots of docs/performance.md. With --check PROGRAM FAKES: a
short run of every part that needs no other meter, which must give the figures that the page shows.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, stdev

from fake_machine import FakeMachine, why_not

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
BUILD = ROOT / "build" / "bench"
PEERS = ROOT / "build" / "peers"
T_95 = 1.96

Figures = dict[str, float]
Row = Sequence[str]


@dataclass
class Bench:
    """program: bench/overhead; fakes: the folder of the NVML stand-in; python: has the package."""

    program: Path
    fakes: Path
    python: Path
    is_short: bool

    def ask(self, zones: int, boards: int, *words: str) -> Figures:
        machine = FakeMachine(zones, boards, self.fakes)
        try:
            return figures(machine.run(self.program, *words).splitlines())
        finally:
            machine.close()

    def meter(self, python: Path, name: str, windows: int) -> dict[str, float]:
        machine = FakeMachine(4, 8, self.fakes)
        words: list[str | Path] = [
            python,
            "-W",
            "ignore",
            ROOT / "bench" / "peers.py",
            name,
            str(windows),
        ]
        try:
            found = json.loads(machine.run(*words).splitlines()[-1])
        finally:
            machine.close()
        return {**found, "window_s": min(found["window_s"])}


def figures(lines: Iterable[str]) -> Figures:
    return {name: float(value) for name, value in (line.split() for line in lines)}


def table(head: Row, rows: Iterable[Row]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def windows_in_c(bench: Bench) -> list[str]:
    rows = []
    for title, zones, boards in (("TDP model", 0, 0), ("4 RAPL zones", 4, 0), ("4 + 8 GPUs", 4, 8)):
        found = bench.ask(zones, boards, "pair")
        floor_ns = found["clock_ns"] + found["pread_ns"]
        most = max(found["always_reads_per_pair"], 1e-9)
        for edges in ("never", "budget", "always"):
            pair_ns, read_ns = found[f"{edges}_pair_ns"], found[f"{edges}_read_ns"]
            share = found[f"{edges}_reads_per_pair"] / most
            rows.append(
                (
                    title,
                    edges,
                    f"{pair_ns / 1e3:.2f}",
                    f"{(pair_ns - read_ns) / 1e3:.2f}",
                    f"{pair_ns / floor_ns:.1f}",
                    f"{100 * share:.2f}",
                )
            )
    head = (
        "sources",
        "edge reads",
        "begin + end µs",
        "beyond reads of files µs",
        "× (clock + pread)",
        "edges read %",
    )
    return table(head, rows)


def open_windows(bench: Bench) -> list[str]:
    found = bench.ask(4, 0, "open")
    counts = [2**i for i in range(7)]
    rows = [
        (
            str(count),
            f"{found[f'nested_{count}_ns']:.0f}",
            f"{found[f'overlapping_{count}_ns']:.0f}",
        )
        for count in counts
    ]
    return table(("open windows", "nested: ns a window", "overlapping: ns a window"), rows)


def channels(bench: Bench) -> list[str]:
    rows = []
    for count in (1, 4, 16, 64) if bench.is_short else (1, 2, 4, 8, 16, 32, 64):
        found = bench.ask(count, 0, "pair")
        pair_ns = found["never_pair_ns"]
        rows.append((str(count), f"{pair_ns:.0f}", f"{pair_ns / count:.0f}"))
    return table(("RAPL zones", "begin + end ns", "ns a zone"), rows)


def many_windows(bench: Bench) -> list[str]:
    total = 100000 if bench.is_short else 10000000
    found = bench.ask(4, 0, "windows", str(total))
    counts = [total // 10 * (i + 1) for i in range(10)]
    rows = [
        (
            f"{count:,}",
            f"{found[f'windows_{count}_ns']:.0f}",
            f"{found[f'windows_{count}_kib']:.0f}",
        )
        for count in counts
    ]
    return table(("windows so far", "ns a window", "resident KiB"), rows)


def sampler(bench: Bench) -> list[str]:
    found = bench.ask(4, 8, "sampler", "1" if bench.is_short else "10")
    rows = []
    for title, name in (("hz10", "10 Hz"), ("hz1000", "1 kHz")):
        rounds = [i for i in range(100) if f"{title}_{i}_meter_percent" in found]
        used = [found[f"{title}_{i}_meter_percent"] for i in rounds]
        bare = [found[f"{title}_{i}_bare_percent"] for i in rounds]
        beyond = [a - b for a, b in zip(used, bare, strict=True)]
        calls = median(found[f"{title}_{i}_reads_per_s"] for i in rounds)
        rows.append(
            (
                name,
                f"{calls:.0f}",
                f"{median(used):.3f}",
                f"{median(bare):.3f}",
                f"{median(beyond):.3f}",
                f"{min(beyond):.3f} … {max(beyond):.3f}",
            )
        )
    head = ("rate", "reads a second", "meter %", "bare loop %", "beyond %", "of the rounds")
    return table(head, rows)


def python_windows(bench: Bench, peers: dict[str, Path]) -> list[str]:
    found = {"energy_meter": bench.meter(bench.python, "energy_meter", 3000)}
    for name, python in peers.items():
        found[name] = bench.meter(python, name, 100)
    ours = found["energy_meter"]
    rows = [
        (
            name,
            f"{1e6 * meter['window_s']:.1f}",
            f"{meter['window_s'] / ours['window_s']:.0f}",
            f"{1e3 * meter['import_s']:.1f}",
            f"{1e3 * meter['first_s']:.1f}",
        )
        for name, meter in found.items()
    ]
    head = ("meter", "empty window µs", "× ours", "import ms", "import to first window ms")
    return table(head, rows)


IMPORT = """
import sys, time, resource
def resident():
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Rss"):
            return int(line.split()[1])
before = resident()
start = time.perf_counter()
{}
print(1e3 * (time.perf_counter() - start), (resident() - before) / 1024)
"""


def imports(bench: Bench, peers: dict[str, Path]) -> list[str]:
    rounds = 3 if bench.is_short else 30
    programs = [
        ("energy_meter", bench.python, "import energy_meter"),
        ("dataclasses", bench.python, "import dataclasses"),
    ]
    programs += [
        ("codecarbon", python, "import codecarbon")
        for name, python in peers.items()
        if name == "codecarbon"
    ]
    rows = []
    for name, python, text in programs:
        taken = [
            tuple(map(float, subprocess.check_output([python, "-c", IMPORT.format(text)]).split()))
            for _ in range(rounds)
        ]
        rows.append(
            (name, f"{median(t for t, _ in taken):.2f}", f"{median(m for _, m in taken):.2f}")
        )
    return table(("import", "ms", "MB"), rows)


def interval(values: list[float]) -> str:
    mean, half = fmean(values), T_95 * stdev(values) / len(values) ** 0.5
    return f"{100 * mean:+.3f} ± {100 * half:.3f}"


def training(bench: Bench) -> list[str]:
    machine = FakeMachine(4, 8, bench.fakes)
    words: list[str | Path] = [
        bench.python,
        ROOT / "bench" / "loop.py",
        "2" if bench.is_short else "150",
    ]
    try:
        found = json.loads(machine.run(*words, timeout_s=1200).splitlines()[-1])
    finally:
        machine.close()
    rows = [
        ("wall clock", f"{found['batch_ms']:.2f}", interval(found["wall"])),
        ("CPU time, the sampler's included", f"{found['batch_ms']:.2f}", interval(found["cpu"])),
    ]
    return table(("by", "a batch ms", "slower with the meter, % (95 % interval)"), rows)


def seconds_of(command: Sequence[str | Path]) -> float:
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return time.perf_counter() - start


def commands(bench: Bench) -> list[str]:
    rounds = 3 if bench.is_short else 50
    native = bench.program.parent.parent / "cli" / "energy-meter"
    programs: list[tuple[str, list[str | Path]]] = [
        ("true", ["true"]),
        ("energy-meter run -- true", [native, "run", "--", "true"]),
    ]
    if shutil.which("perf"):
        programs.append(("perf stat -- true", ["perf", "stat", "--", "true"]))
    taken: dict[str, list[float]] = {name: [] for name, _ in programs}
    for _ in range(rounds):
        for name, command in programs:
            taken[name].append(seconds_of(command))
    rows = [(f"`{name}`", f"{1e3 * median(times):.2f}") for name, times in taken.items()]
    return table(("command", "ms"), rows)


def install_peers() -> dict[str, Path]:
    found = {}
    for line in (ROOT / "bench" / "requirements.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name = re.split(r"[\[=]", line)[0]
        folder = PEERS / name
        if not (folder / "installed").exists():
            print(f"Installing {line} into {folder.relative_to(ROOT)} ...", flush=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip: list[str | Path] = [
                folder / "bin" / "python",
                "-m",
                "pip",
                "--disable-pip-version-check",
            ]
            subprocess.run([*pip, "install", "--quiet", line], check=True)
            (folder / "installed").touch()
        found[name] = folder / "bin" / "python"
    return found


def measure(bench: Bench, peers: dict[str, Path]) -> dict[str, list[str]]:
    parts: dict[str, Callable[[], list[str]]] = {
        "windows": lambda: windows_in_c(bench),
        "python": lambda: python_windows(bench, peers),
        "imports": lambda: imports(bench, peers),
        "sampler": lambda: sampler(bench),
        "training": lambda: training(bench),
        "many": lambda: many_windows(bench),
        "channels": lambda: channels(bench),
        "open": lambda: open_windows(bench),
        "commands": lambda: commands(bench),
    }
    made = {}
    for name, part in parts.items():
        start = time.monotonic()
        made[name] = part()
        print(f"{name}: {time.monotonic() - start:.0f} s", *made[name], sep="\n", flush=True)
    return made


def where() -> list[str]:
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return [
        f"Measured on {model[1] if model else platform.machine()}, {os.cpu_count()} processors, "
        f"Linux {platform.release().split('-')[0]}, CPython {platform.python_version()}."
    ]


def write_page(made: dict[str, list[str]]) -> None:
    text = PAGE.read_text()
    for name, lines in {**made, "where": where()}.items():
        mark, end = f"<!-- bench: {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(mark)
        after = rest.partition(end)[2]
        text = "\n".join([f"{before}{mark}", *lines, "", f"{end}{after}"])
    PAGE.write_text(text)


def main(arguments: list[str]) -> int:
    reason = why_not()
    if reason:
        print(f"skipped: this machine shows no other one in a namespace ({reason})")
        return 77
    if arguments[:1] == ["--check"] and len(arguments) == 4:
        program, fakes, python = map(Path, arguments[1:])
        made = measure(Bench(program, fakes, python, is_short=True), {})
        page = PAGE.read_text()
        missing = [name for name in made if f"<!-- bench: {name} -->" not in page]
        if missing:
            print(f"docs/performance.md shows no table of {', '.join(missing)}")
        return 1 if missing else 0
    if arguments:
        print("usage: overhead.py [--check PROGRAM FAKES PYTHON]", file=sys.stderr)
        return 2
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    setup = ["meson", "setup", str(BUILD), "-Dpython=false", "--buildtype=release"]
    for command in (
        [*setup, *(["--reconfigure"] if BUILD.exists() else [])],
        [
            "ninja",
            "-C",
            str(BUILD),
            "bench/overhead",
            "cli/energy-meter",
            "tests/fakes/libnvidia-ml.so.1",
        ],
    ):
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    bench = Bench(
        BUILD / "bench" / "overhead",
        BUILD / "tests" / "fakes",
        Path(sys.executable),
        is_short=False,
    )
    write_page(measure(bench, install_peers()))
    print("docs/performance.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
