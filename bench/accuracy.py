# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Runs bench/accuracy and writes the tables and plots of docs/accuracy.md.

With --check PROGRAM: a short run whose lines must parse, with the sensors, lengths and cases of the
page. Draws nothing.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "accuracy.md"
PLOTS = ROOT / "docs" / "accuracy"
BUILD = ROOT / "build" / "accuracy"
SEED, DRAWS, ROUNDS = 1, 5000, 10
COLOURS = ("#1b7837", "#2166ac", "#b35806", "#762a83")

# error, truth, edge part of U, error with the gain off, U: all in J
Draw = tuple[float, float, float, float, float]
Cells = dict[tuple[str, str, int], list[Draw]]
# round, truth, meter, raw, line
Fused = dict[tuple[str, int], list[tuple[int, float, float, float, float]]]
Cases = list[tuple[str, float, float, str, str]]


def parse(lines: Iterable[str]) -> tuple[Cells, Fused, Cases]:
    cells: Cells = defaultdict(list)
    fused: Fused = defaultdict(list)
    cases: Cases = []
    for row in csv.reader(line for line in lines if not line.startswith("#")):
        if row[0] == "draw":
            truth, measured, edge, whole, gain = map(float, row[4:])
            off = abs(measured - truth * (1 + gain))
            cells[row[1], row[2], int(row[3])].append(
                (abs(measured - truth), truth, edge, off, whole)
            )
        elif row[0] == "fusion":
            truth, measured, raw, line = map(float, row[4:])
            fused[row[1], int(row[2])].append((int(row[3]), truth, measured, raw, line))
        elif row[0] == "case":
            cases.append((row[1], float(row[2]), float(row[3]), row[4], row[5].strip()))
        else:
            raise ValueError(f"unknown line: {row}")
    return cells, fused, cases


def quantile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def usual_worst(errors: list[float]) -> float:
    """The 95th percentile; where most errors are exactly zero, of the rest."""
    other = [error for error in errors if error > 0]
    return quantile(other if other and 2 * len(other) < len(errors) else errors, 0.95)


def coverage(draws: list[Draw]) -> tuple[float, float, float]:
    """Inside the edge part, inside the whole, mean width against the 95th percentile."""
    edge = fmean(error <= u for error, _, u, _, _ in draws)
    whole = fmean(off <= u for _, _, _, off, u in draws)
    worst = usual_worst([draw[0] for draw in draws])
    width = fmean(draw[2] for draw in draws) / worst if worst > 0 else 0.0
    return edge, whole, width


def length(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:g} s"


def percent(value: float) -> str:
    return f"{100 * value:.3f}" if value < 0.001 else f"{100 * value:.3g}"


def draw_table(cells: Cells, loads: str) -> list[str]:
    rows = [
        "| sensor | window | error: median % | 95th percentile % | inside edge part % "
        "| inside U % | width |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, sensor, ms), draws in cells.items():
        if name == loads:
            relative = [error / truth for error, truth, *_ in draws]
            edge, whole, width = coverage(draws)
            rows.append(
                f"| {sensor} | {length(ms)} | {percent(quantile(relative, 0.5))} "
                f"| {percent(quantile(relative, 0.95))} | {100 * edge:.1f} | {100 * whole:.1f} "
                f"| {width:.2f} |"
            )
    return rows


def interval_table(cells: Cells) -> list[str]:
    rows = [
        "| loads | samples | too narrow: inside in less than 94 % | too wide: above 2 |",
        "|---|---|---|---|",
    ]
    for name in dict.fromkeys(name for name, _, _ in cells if not name.startswith("near")):
        wide, narrow, count = [], [], 0
        for (other, sensor, ms), draws in cells.items():
            if other == name:
                edge, whole, width = coverage(draws)
                count += 1
                if width > 2:
                    wide.append(f"{sensor} {length(ms)} ({width:.2f})")
                if min(edge, whole) < 0.94:
                    narrow.append(f"{sensor} {length(ms)} ({100 * min(edge, whole):.1f} %)")
        table, _, interval = name.rpartition("-")
        rows.append(
            f"| {table} | {length(int(interval))} "
            f"| {len(narrow)} of {count}{': ' if narrow else ''}{', '.join(narrow)} "
            f"| {len(wide)} of {count}{': ' if wide else ''}{', '.join(wide)} |"
        )
    return rows


def fusion_table(fused: Fused) -> list[str]:
    rows = [
        "| case | window | raw edges: mean error % | straight line % | the meter % "
        "| 99 of 100 within % | worst % | sum, worst run % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (name, ms), windows in fused.items():
        mean = [fmean(abs(w[i] - w[1]) / w[1] for w in windows) for i in (3, 4, 2)]
        errors = [abs(w[2] - w[1]) / w[1] for w in windows]
        sums = [
            sum(w[2] for w in windows if w[0] == run) / sum(w[1] for w in windows if w[0] == run)
            for run in {w[0] for w in windows}
        ]
        figures = [*mean, quantile(errors, 0.99), max(errors), max(abs(s - 1) for s in sums)]
        rows.append(f"| {name} | {length(ms)} | " + " | ".join(map(percent, figures)) + " |")
    return rows


def case_table(cases: Cases) -> list[str]:
    rows = ["| sensor | truth J | shown J | status | notes |", "|---|---|---|---|---|"]
    for name, truth, shown, status, notes in cases:
        rows.append(f"| {name} | {truth:g} | {shown:.6g} | {status} | {notes or 'none'} |")
    return rows


def tables(cells: Cells, fused: Fused, cases: Cases) -> dict[str, list[str]]:
    return {
        "draws": draw_table(cells, "usual-100"),
        "intervals": interval_table(cells),
        "alternating loads": draw_table(cells, "near-100ms-100"),
        "short windows": fusion_table(fused),
        "degenerate sensors": case_table(cases),
    }


def write_page(made: dict[str, list[str]]) -> None:
    text = PAGE.read_text()
    for name, rows in made.items():
        begin = f"<!-- tables: {name} -->"
        pattern = re.compile(re.escape(begin) + r".*?<!-- end -->", re.DOTALL)
        whole = "\n".join([begin, *rows, "<!-- end -->"])
        text, count = pattern.subn(lambda _, whole=whole: whole, text)  # type: ignore[misc]
        if count != 1:
            raise SystemExit(f"{PAGE} lacks the marker {begin}; put it back, with <!-- end -->")
    PAGE.write_text(text)


def draw_plots(cells: Cells, fused: Fused) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "energy-meter", "svg.fonttype": "none", "font.size": 9})
    PLOTS.mkdir(exist_ok=True)
    usual = {(s, ms): draws for (name, s, ms), draws in cells.items() if name == "usual-100"}
    sensors, lengths = list(dict.fromkeys(s for s, _ in usual)), sorted({ms for _, ms in usual})

    def save(figure: Any, name: str) -> None:
        figure.tight_layout()
        metadata = {"Date": None, "Creator": None}
        figure.savefig(PLOTS / name, metadata=metadata, facecolor="white")
        plt.close(figure)
        text = (PLOTS / name).read_text()
        text = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", text)
        (PLOTS / name).write_text(re.sub(r" +$", "", text, flags=re.MULTILINE))

    def axes_of(title: str) -> tuple[Any, Any]:
        figure, axes = plt.subplots(figsize=(8, 5.5))
        axes.set_yticks(range(len(sensors)), sensors)
        axes.invert_yaxis()
        axes.grid(axis="x", color="#cccccc", linewidth=0.5)
        axes.set_xlabel(title)
        return figure, axes

    figure, grid = plt.subplots(4, 3, figsize=(9, 9), sharex=True, sharey=True)
    parts = [i / 20 for i in range(21)]
    for axes, sensor in zip(grid.flat, sensors, strict=True):
        for ms, colour in zip(lengths, COLOURS, strict=True):
            ratios = sorted(d[0] / d[2] if d[2] > 0 else 0 for d in usual[sensor, ms])
            points = [quantile(ratios, part) for part in parts]
            axes.plot(points, [100 * p for p in parts], color=colour, label=length(ms), lw=1)
        axes.axvline(1, color="#555555", lw=0.7)
        axes.axhline(95, color="#555555", lw=0.7, ls=":")
        axes.set_xlim(0, 1.5)
        axes.set_title(sensor, fontsize=9)
    grid.flat[0].legend(fontsize=7)
    figure.supxlabel("error / edge part of U")
    figure.supylabel("% of windows")
    save(figure, "error-in-u.svg")

    figure, axes = axes_of(
        "error in % of the window's energy: 5th to 95th percentile, median marked"
    )
    for i, sensor in enumerate(sensors):
        for j, (ms, colour) in enumerate(zip(lengths, COLOURS, strict=True)):
            relative = sorted(100 * d[0] / d[1] for d in usual[sensor, ms])
            low, mid, high = (max(1e-4, quantile(relative, p)) for p in (0.05, 0.5, 0.95))
            place, name = i + (j - 1.5) * 0.18, length(ms) if i == 0 else None
            axes.plot([low, high], [place, place], color=colour, lw=2, label=name)
            axes.plot([mid], [place], color=colour, marker="o", ms=4)
    axes.set_xscale("log")
    axes.legend(fontsize=7)
    save(figure, "relative-error.svg")

    figure, axes = axes_of(
        "truth inside the uncertainty, % of windows (filled: edge part; open: all)"
    )
    for i, sensor in enumerate(sensors):
        for j, (ms, colour) in enumerate(zip(lengths, COLOURS, strict=True)):
            edge, whole, _ = coverage(usual[sensor, ms])
            place, name = i + (j - 1.5) * 0.18, length(ms) if i == 0 else None
            axes.plot([100 * edge], [place], color=colour, marker="o", ms=4, ls="", label=name)
            axes.plot([100 * whole], [place], color=colour, marker="o", ms=4, mfc="white", ls="")
    axes.axvline(95, color="#555555", lw=0.7, ls=":")
    axes.axvline(94, color="#b2182b", lw=0.9)
    axes.legend(fontsize=7)
    save(figure, "coverage.svg")

    figure, axes = plt.subplots(figsize=(8, 4))
    names = [f"{name}, {length(ms)}" for name, ms in fused]
    for column, label, colour in zip(
        (3, 4, 2), ("raw edges", "straight line", "meter"), COLOURS[:3], strict=True
    ):
        means = [100 * fmean(abs(w[column] - w[1]) / w[1] for w in ws) for ws in fused.values()]
        axes.plot(means, range(len(names)), marker="o", ls="", color=colour, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.grid(axis="x", color="#cccccc", linewidth=0.5)
    axes.set_xlabel("mean absolute error, % of the window's energy")
    axes.legend(fontsize=8)
    save(figure, "short-windows.svg")


def run(program: Path, *numbers: int) -> tuple[Cells, Fused, Cases]:
    command = [str(program), *map(str, numbers)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return parse(done.stdout.splitlines())


def check(program: Path) -> int:
    """The names in the page's tables are those of a short run, line by line."""

    def names(rows: Iterable[str]) -> list[list[str]]:
        return [[word.strip() for word in row.split("|")[1:3]] for row in rows if row[:1] == "|"]

    made, text = tables(*run(program, SEED, 5, 1)), PAGE.read_text()
    for name, rows in made.items():
        kept = text.partition(f"<!-- tables: {name} -->")[2].partition("<!-- end -->")[0]
        if not kept.strip() or names(rows) != names(kept.splitlines()):
            print(f"docs/accuracy.md: the table of {name} is not the rig's; run make accuracy")
            return 1
    return 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--check"] and len(arguments) == 2:
        return check(Path(arguments[1]))
    if arguments:
        print("usage: accuracy.py [--check PROGRAM]", file=sys.stderr)
        return 2
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    setup = ["meson", "setup", str(BUILD), *(["--reconfigure"] if BUILD.exists() else [])]
    for command in (setup, ["ninja", "-C", str(BUILD), "bench/accuracy"]):
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    cells, fused, cases = run(BUILD / "bench" / "accuracy", SEED, DRAWS, ROUNDS)
    write_page(tables(cells, fused, cases))
    draw_plots(cells, fused)
    print(f"docs/accuracy.md and docs/accuracy/ made with seed {SEED}, {DRAWS} draws")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
