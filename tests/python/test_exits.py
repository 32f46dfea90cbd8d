# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""However a program is interrupted or ends, it ends soon, and its files are whole."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from energy_meter import EnergyMeter, replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCHES = 5
PROGRAM = """
import gc, os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore")
from energy_meter import EnergyMeter
meter = EnergyMeter(sample_interval={interval}, cpu_tdp_w=65, windows_file="windows.jsonl",
                    trace="run.trace")
for number in range({batches}):
    with meter.batch(items=number + 1):
        pass
def keep(*kept):
    time.sleep(1000)
def hold(target, *arguments):
    threading.Thread(target=target, args=arguments, daemon=True).start()
    time.sleep(0.05)
def spin(meter):
    while True:
        with meter.epoch():
            time.sleep(0.0001)
def loop(meter):
    for _ in meter.epochs(iter(int, 1)):
        time.sleep(0.0001)
def after():
    print(time.monotonic(), flush=True)
{ending}
after()
"""
IN_A_WINDOW = "with meter.window('interrupted'):\n    after()\n    {}\n    time.sleep(1000)\n"


def run(folder: Path, ending: str, interval: float) -> tuple[int, float, str]:
    """Status, seconds from the end of the program to that of its process, and what it said."""
    program = PROGRAM.format(interval=interval, batches=BATCHES, ending=ending)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, time.monotonic() - float(done.stdout.split()[-1]), done.stderr


def lines(folder: Path) -> list[dict[str, object]]:
    text = (folder / "windows.jsonl").read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("", 0, ""),
        ("after(); sys.exit(3)", 3, ""),
        ("after(); raise ValueError('mine')", 1, "mine"),
        ("sys.modules['kept'] = meter", 0, ""),
        ("gc.disable(); cycle = [meter]; cycle.append(cycle)", 0, ""),
        ("hold(keep, meter)", 0, ""),
        ("hold(spin, meter)", 0, ""),
        ("hold(loop, meter)", 0, ""),
        (IN_A_WINDOW.format("os.kill(os.getpid(), signal.SIGINT)"), -2, "KeyboardInterrupt"),
        (
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
            + IN_A_WINDOW.format("os.kill(os.getpid(), signal.SIGTERM)"),
            7,
            "",
        ),
        (IN_A_WINDOW.format("sys.exit(4)"), 4, ""),
    ],
)
@pytest.mark.parametrize("interval", [0.01, 30])
def test_files_are_whole_without_a_close(
    tmp_path: Path, ending: str, status: int, error: str, interval: float
) -> None:
    found = run(tmp_path, ending, interval)
    assert found[0] == status, found[2]
    # An interval of half a minute delays no end.
    assert found[1] < 10
    assert error in found[2] if error else found[2] == ""
    listed = lines(tmp_path)
    items = [line["items"] for line in listed if line["kind"] == "batch"]
    assert items == list(range(1, BATCHES + 1))
    assert [line["kind"] for line in listed].count("run") == 1
    interrupted = [line for line in listed if line["name"] == "interrupted"]
    assert len(interrupted) == ("interrupted" in ending)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary = replay(tmp_path / "run.trace")
    assert summary["num_batches"] == BATCHES
    assert summary["num_epochs"] == sum(line["kind"] == "epoch" for line in listed)


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("after(); os._exit(5)", 5),
        (IN_A_WINDOW.format("os._exit(6)"), 6),
        (IN_A_WINDOW.format("os.kill(os.getpid(), signal.SIGTERM)"), -15),
    ],
)
def test_an_end_that_asks_nobody_leaves_what_was_final(
    tmp_path: Path, ending: str, status: int
) -> None:
    found = run(tmp_path, f"while os.stat('windows.jsonl').st_size == 0: pass\n{ending}", 0.01)
    assert found[0] == status
    assert found[1] < 10
    assert found[2] == ""
    items = [line["items"] for line in lines(tmp_path)]
    assert items
    assert items == list(range(1, len(items) + 1))


def test_an_interrupt_ends_the_window(meter: EnergyMeter) -> None:
    with pytest.raises(KeyboardInterrupt), meter.epoch() as epoch, meter.batch() as batch:
        signal.raise_signal(signal.SIGINT)
    assert epoch.wait()["final"]
    assert batch.wait()["duration_s"] <= epoch.duration_s
    with meter.batch():
        pass
    summary = meter.summary()
    assert summary["num_batches"] == 2
    assert summary["num_epochs"] == 1


@pytest.fixture
def interrupt_soon() -> Iterator[Callable[[], None]]:
    """Each call lets one KeyboardInterrupt come at a random instant of the next millisecond."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    instants = random.Random(seed)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def soon() -> None:
        signal.setitimer(signal.ITIMER_REAL, instants.uniform(20e-6, 1e-3))

    before = signal.signal(signal.SIGALRM, interrupt)
    yield soon
    signal.signal(signal.SIGALRM, before)


def test_interrupts_at_any_instant(meter: EnergyMeter, interrupt_soon: Callable[[], None]) -> None:
    """Each window ends, is dropped, or never began; none stays open and none counts twice."""
    entered = left = 0
    window = None
    for _ in range(300):
        try:
            interrupt_soon()
            while True:
                entered += 1
                with meter.batch() as window:
                    pass
                left += 1
        except KeyboardInterrupt:
            continue
    del window
    summary = meter.summary()
    assert left <= summary["num_batches"] <= entered
    batches = summary["batch_summary"]
    assert batches["total_duration_s"] <= summary["run"]["duration_s"]
    with meter.batch() as after:
        pass
    assert after.wait()["final"]
    assert meter.summary()["num_batches"] == summary["num_batches"] + 1


def test_blocks_that_end_in_the_wrong_order(meter: EnergyMeter) -> None:
    outer, inner = meter.epoch(), meter.batch()
    with ExitStack() as stack:
        outer.__enter__()
        inner.__enter__()
        stack.push(inner)
        stack.push(outer)
    assert outer.wait()["final"]
    assert inner.wait()["final"]
    assert meter.summary()["num_epochs"] == meter.summary()["num_batches"] == 1


def test_an_exception_while_blocks_end(meter: EnergyMeter) -> None:
    class Raises:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            raise OSError("mine")

    with (
        pytest.raises(OSError, match="mine") as caught,
        meter.epoch() as epoch,
        Raises(),
        meter.batch() as batch,
    ):
        raise KeyError("the first")
    assert isinstance(caught.value.__context__, KeyError)
    assert batch.wait()["duration_s"] <= epoch.wait()["duration_s"]
    assert meter.summary()["num_epochs"] == meter.summary()["num_batches"] == 1
