# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Draws docs/watch.svg: energy-meter watch on a recorded machine with counters that run.

    python tools/picture.py build/gcc/cli/energy-meter

The machine is tests/machines/intel-xeon-2s-gold-5118.json, unfolded into a folder; its load is
made up. The terminal is an emulator's (pyte), and what that shows at the end is the picture.
"""

from __future__ import annotations

import argparse
import fcntl
import html
import json
import math
import os
import pty
import random
import re
import select
import struct
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from typing import Any

import pyte

ROOT = Path(__file__).resolve().parent.parent
MACHINE = ROOT / "tests" / "machines" / "intel-xeon-2s-gold-5118.json"
COLUMNS, LINES, SECONDS = 92, 22, 14.0
CELL_W, CELL_H, MARGIN = 8.4, 17, 12
BLOCKS = "▁▂▃▄▅▆▇█"
COLORS = {"green": "#56b366", "cyan": "#3aa6b9", "default": "#d4d4d4"}


def unfold(machine: Path, root: Path) -> None:
    """A recorded machine as files and links."""
    recording = json.loads(machine.read_text())
    for name, entry in recording["files"].items():
        content = entry["content"] if isinstance(entry, dict) else entry
        if content is not None:
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    for name, target in recording.get("links", {}).items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.symlink_to(target)


def power_w(name: str, t_s: float) -> float:
    """Batches of half a second, with a pause in the middle: for memory a tenth of it."""
    is_busy = not 8 < t_s < 9.5
    wave = 25 * math.sin(4 * math.pi * t_s) + 12 * math.sin(1.3 * t_s)
    watts = (85 + wave if is_busy else 22) + random.uniform(-3, 3)
    return 0.15 * watts + 4 if name == "dram" else watts


def load(root: Path, ended: threading.Event) -> None:
    """Moves the counters of packages and memory."""
    zones = [
        (path.parent / "name", path)
        for path in sorted(root.rglob("energy_uj"))
        if (path.parent / "name").exists() and not path.is_symlink()
    ]
    counters: list[list[Any]] = [
        [name.read_text().strip().split("-")[0], os.open(path, os.O_WRONLY), 10**11]
        for name, path in zones
    ]
    began = last = time.monotonic()
    while not ended.wait(0.002):
        now = time.monotonic()
        for counter in counters:
            counter[2] += int(power_w(counter[0], now - began) * (now - last) * 1e6)
            os.pwrite(counter[1], f"{counter[2]}\n".encode(), 0)
        last = now


def show(command: Path, root: Path) -> pyte.Screen:
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        words = ["watch", "--interval", "0.2", "--location", "FR", "--root", str(root)]
        os.execv(command, [str(command), *words])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    until = time.monotonic() + SECONDS
    # A whole picture is one after which nothing comes for a moment.
    while time.monotonic() < until or select.select([terminal], [], [], 0.05)[0]:
        if select.select([terminal], [], [], 0.05)[0]:
            stream.feed(os.read(terminal, 65536))
    os.close(terminal)
    os.waitpid(pid, 0)
    return screen


def spans(line: Any) -> list[tuple[int, str, str, bool]]:
    """Words of one color that one space parts at most: column, text, color, bold."""
    found: list[tuple[int, str, str, bool]] = []
    for column in range(COLUMNS):
        cell = line[column]
        if cell.data in BLOCKS:
            cell = cell._replace(data=" ")
        if found and found[-1][2:] == (cell.fg, cell.bold):
            start, text, *rest = found[-1]
            found[-1] = (start, text + cell.data, *rest)
        else:
            found.append((column, cell.data, cell.fg, cell.bold))
    return [
        (start + part.start(), part[0], color, is_bold)
        for start, text, color, is_bold in found
        for part in re.finditer(r"\S+( \S+)*", text)
    ]


def bars(screen: pyte.Screen) -> dict[str, str]:
    """The blocks of graphs as one path for each color, since fonts leave gaps between lines."""
    paths: dict[str, str] = {}
    for row in range(LINES):
        column = 0
        while column < COLUMNS:
            cell = screen.buffer[row][column]
            end = column + 1
            if cell.data in BLOCKS:
                while end < COLUMNS and screen.buffer[row][end][:2] == cell[:2]:
                    end += 1
                height = CELL_H * (BLOCKS.index(cell.data) + 1) / len(BLOCKS)
                x, y = MARGIN + column * CELL_W, MARGIN + (row + 1) * CELL_H - height
                width = (end - column) * CELL_W
                paths[cell.fg] = (
                    paths.get(cell.fg, "")
                    + f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
                )
            column = end
    return paths


def draw(screen: pyte.Screen) -> str:
    width, height = COLUMNS * CELL_W + 2 * MARGIN, LINES * CELL_H + 2 * MARGIN
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">',
        "<title>energy-meter watch</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#1e1e1e"/>',
        "<g font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" "
        'font-size="14" xml:space="preserve">',
    ]
    for row in range(LINES):
        for column, text, color, is_bold in spans(screen.buffer[row]):
            x, y = MARGIN + column * CELL_W, MARGIN + (row + 0.78) * CELL_H
            weight = ' font-weight="bold"' if is_bold else ""
            lines.append(
                f'<text x="{x:.1f}" y="{y:.1f}" fill="{COLORS.get(color, COLORS["default"])}"'
                f'{weight} textLength="{len(text) * CELL_W:.1f}" lengthAdjust="spacingAndGlyphs">'
                f"{html.escape(text)}</text>"
            )
    graphs = [f'<path fill="{COLORS[color]}" d="{path}"/>' for color, path in bars(screen).items()]
    return "\n".join([*lines, "</g>", *graphs, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=Path)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "watch.svg")
    chosen = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        unfold(MACHINE, root)
        ended = threading.Event()
        thread = threading.Thread(target=load, args=(root, ended))
        thread.start()
        try:
            screen = show(chosen.command.resolve(), root)
        finally:
            ended.set()
            thread.join()
    print("\n".join(line.rstrip() for line in screen.display))
    chosen.output.write_text(draw(screen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
