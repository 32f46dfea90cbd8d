# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""energy-meter watch on the screen of a terminal emulator, and line by line."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pyte = pytest.importorskip("pyte")

Call = Callable[..., subprocess.CompletedProcess[str]]
PATIENCE_S = 30.0
POWERS_W = {"package-0": 80, "package-1": 40}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A machine of two packages whose counters run: 80 and 40 W."""
    root = tmp_path_factory.mktemp("machine")
    files = {}
    for number, name in enumerate(POWERS_W):
        zone = root / "sys/class/powercap" / f"intel-rapl:{number}"
        zone.mkdir(parents=True)
        (zone / "name").write_text(name + "\n")
        (zone / "max_energy_range_uj").write_text("262143328850\n")
        (zone / "energy_uj").write_text("100000000000\n")
        files[name] = os.open(zone / "energy_uj", os.O_WRONLY)
    ended = threading.Event()

    def run() -> None:
        began = time.monotonic()
        while not ended.wait(0.002):
            passed_s = time.monotonic() - began
            for name, descriptor in files.items():
                energy_uj = 100000000000 + int(passed_s * POWERS_W[name] * 1e6)
                os.pwrite(descriptor, f"{energy_uj}\n".encode(), 0)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield root
    ended.set()
    thread.join()


class Terminal:
    """The command on a terminal of this size; what it shows is in screen."""

    def __init__(self, width: int, height: int, *words: str | Path, **environment: str) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        master, slave = pty.openpty()
        self.master, self.slave = master, slave
        self.resize(width, height)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
                "PATH": os.environ["PATH"],
                **environment,
            },
        )

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self) -> bool:
        """Whether there was anything within a moment."""
        if not select.select([self.master], [], [], 0.05)[0]:
            return False
        new = os.read(self.master, 65536)
        self.raw += new
        self.stream.feed(new)
        return True

    def wait(self, condition: Callable[[list[str]], object]) -> list[str]:
        """The screen, as soon as it shows that and nothing more comes at once."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if not self.read() and condition(list(self.screen.display)):
                return list(self.screen.display)
        raise AssertionError("\n".join(self.screen.display))

    def end(self) -> int:
        until = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < until:
            self.read()
        while self.read():
            pass
        return self.process.wait(timeout=1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def watch(command: Path, running: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(
        width: int, height: int, *options: str | Path, root: Path = running, **environment: str
    ) -> Terminal:
        words = (command, "watch", "--interval", "0.1", "--root", root, *options)
        opened.append(Terminal(width, height, *words, **environment))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def has_power(lines: list[str]) -> bool:
    return any(re.match(r"total +[1-9][\d.]* W", line) for line in lines)


def watts(lines: list[str], name: str) -> float:
    (line,) = (line for line in lines if line.strip().startswith(name))
    return float(line.split()[1])


@pytest.mark.parametrize(
    ("width", "height"), [(20, 5), (30, 8), (40, 24), (80, 24), (80, 7), (132, 43), (300, 100)]
)
def test_it_fits_any_screen(watch: Callable[..., Terminal], width: int, height: int) -> None:
    # An emulator in Python is slow where there is much to draw.
    terminal = watch(width, height, *(["--interval", "0.5"] if height > 50 else []))
    lines = terminal.wait(has_power)
    assert re.match(r"\d+:\d\d:\d\d  [\d.]+ k?J", lines[0])
    assert any("cpu-0/pack" in line for line in lines)
    if width >= 80:
        titles = lines[1].split()
        assert titles == ["now", "min", "mean", "max", "energy", "CO2e"]
        # However late the thread that moves the counters comes, it moves both by as much time.
        parts_w = [watts(lines, f"cpu-{i}/package") for i in range(2)]
        assert parts_w[0] == pytest.approx(2 * parts_w[1], rel=0.25)
        assert watts(lines, "total") == pytest.approx(sum(parts_w), rel=0.02)
    if height >= 24:
        assert "now" in lines[-2]
        assert lines[-1].startswith("CO2e at 472")
        assert any("█" in line for line in lines)


def test_it_follows_the_size(watch: Callable[..., Terminal]) -> None:
    terminal = watch(80, 24)
    terminal.wait(has_power)
    terminal.resize(40, 10)
    lines = terminal.wait(lambda shown: has_power(shown) and "CO2e at" not in shown[-1])
    assert sum(line.startswith("total") for line in lines) == 1
    terminal.resize(120, 30)
    lines = terminal.wait(lambda shown: shown[-1].startswith("CO2e at"))
    assert sum(line.startswith("total") for line in lines) == 1
    assert "CO2e" in lines[1]


def test_more_channels_than_lines_are_counted(
    watch: Callable[..., Terminal], machines: Path
) -> None:
    root = machines / "intel-xeon-4s-platinum-8260-joulie.json"
    terminal = watch(60, 7, root=root)
    lines = terminal.wait(lambda shown: any("more" in line for line in shown))
    assert lines[-1].strip() == "and 5 more"


def colors(raw: bytes) -> set[bytes]:
    return set(re.findall(rb"\x1b\[([0-9;]*)m", raw)) - {b"0", b""}


def test_colors_are_left_out_where_they_are_not_wanted(watch: Callable[..., Terminal]) -> None:
    plain = watch(80, 24, NO_COLOR="1")
    plain.wait(has_power)
    assert not colors(plain.raw)
    colored = watch(80, 24, NO_COLOR="")
    colored.wait(has_power)
    assert colors(colored.raw) == {b"1", b"2", b"32", b"36"}


def test_without_utf8_all_is_ascii(watch: Callable[..., Terminal]) -> None:
    terminal = watch(80, 24, LC_ALL="C")
    lines = terminal.wait(has_power)
    assert terminal.raw.isascii()
    assert "+-" in lines[0]


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (lambda terminal: os.write(terminal.master, b"q"), 0),
        (lambda terminal: os.write(terminal.master, b"\x03"), 0),
        (lambda terminal: terminal.process.send_signal(signal.SIGTERM), 143),
        (lambda terminal: terminal.process.send_signal(signal.SIGHUP), 129),
        (lambda terminal: terminal.process.send_signal(signal.SIGQUIT), 131),
    ],
    ids=["q", "ctrl-c", "SIGTERM", "SIGHUP", "SIGQUIT"],
)
def test_the_terminal_is_given_back(
    watch: Callable[..., Terminal], act: Callable[[Terminal], object], status: int
) -> None:
    terminal = watch(80, 24)
    terminal.wait(has_power)
    during = termios.tcgetattr(terminal.slave)
    assert not during[3] & (termios.ECHO | termios.ICANON)
    assert during[3] & termios.ISIG
    assert b"\x1b[?1049h" in terminal.raw
    act(terminal)
    assert terminal.end() == status
    assert terminal.raw.endswith(b"\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l")
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_it_ends_by_itself(watch: Callable[..., Terminal]) -> None:
    terminal = watch(80, 24, "--for", "300ms")
    assert terminal.end() == 0
    assert terminal.raw.endswith(b"\x1b[?1049l")


def test_a_terminal_that_goes_away_ends_it(watch: Callable[..., Terminal]) -> None:
    terminal = watch(80, 24)
    terminal.wait(has_power)
    os.close(terminal.slave)
    os.close(terminal.master)
    assert terminal.process.wait(timeout=PATIENCE_S) == 128 + signal.SIGHUP
    terminal.master, terminal.slave = pty.openpty()


def test_stopped_and_continued_it_gives_the_terminal_back_and_takes_it_again(
    watch: Callable[..., Terminal],
) -> None:
    terminal = watch(80, 24)
    terminal.wait(has_power)
    terminal.process.send_signal(signal.SIGTSTP)
    _pid, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    while terminal.read():
        pass
    assert terminal.raw.endswith(b"\x1b[?1049l")
    assert termios.tcgetattr(terminal.slave) == terminal.before
    terminal.raw = b""
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait(has_power)
    assert b"\x1b[?1049h" in terminal.raw


def test_without_a_terminal_it_says_what_to_do(call: Call) -> None:
    done = call("watch")
    assert done.returncode == 2
    assert done.stderr == (
        "energy-meter watch: stdout is no terminal; give --json for one line a sample\n"
    )


def test_a_terminal_that_cannot_be_drawn_on(watch: Callable[..., Terminal]) -> None:
    terminal = watch(80, 24, TERM="dumb")
    assert terminal.end() == 2
    assert b"give --json" in terminal.raw
    assert b"\x1b" not in terminal.raw


def test_json_is_one_line_a_sample(call: Call, running: Path) -> None:
    done = call("watch", "--json", "--interval", "0.1", "--for", "0.5", "--root", running)
    assert (done.returncode, done.stderr) == (0, "")
    samples = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(samples) >= 3
    assert all(one["schema"] == 1 for one in samples)
    for before, after in itertools.pairwise(samples):
        passed_s = after["duration_s"] - before["duration_s"]
        grown_j = after["energy_j"] - before["energy_j"]
        assert after["power_w"] == pytest.approx(grown_j / passed_s, rel=1e-6)
    last = samples[-1]
    assert set(last["channels"]) == {"cpu-0/package", "cpu-1/package"}
    parts_j = [last["channels"][f"cpu-{i}/package"]["energy_j"] for i in range(2)]
    assert parts_j[0] == pytest.approx(2 * parts_j[1], rel=0.1)
    assert sum(parts_j) == pytest.approx(last["energy_j"])


def test_json_ends_where_nobody_reads(command: Path, running: Path) -> None:
    words = [str(command), "watch", "--json", "--interval", "0.05", "--root", str(running)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        error = process.stderr.read().decode()
        assert process.wait(timeout=PATIENCE_S) == 1
    assert error == (
        "energy-meter watch: stdout: Broken pipe; give a reader that stays until the end\n"
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--interval", "0"], "--interval '0': give seconds from 0.05 to 60"),
        (["--fr", "1"], "unknown option '--fr'; did you mean --for?"),
        (["here"], "unexpected argument 'here'"),
        (["--as-user"], "add --root FILE.json"),
    ],
)
def test_a_wrong_call_is_told(call: Call, arguments: list[str], named: str) -> None:
    done = call("watch", "--json", *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
