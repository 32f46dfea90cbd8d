# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A meter in a forked child measures nothing, warns once, and harms neither process."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter, RunPython

KEYS = {"energy_j", "duration_s", "missing", "complete", "final", "channels"}


def in_child(work: Callable[[], Any]) -> Any:
    """What work() returns in a forked child, and the warnings that it raised there."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Forking with threads is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                answer = work()
            texts = [str(one.message) for one in caught if one.category is EnergyMeterWarning]
            with os.fdopen(writer, "wb") as out:
                pickle.dump((answer, texts), out)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as source:
        data = source.read()
    assert os.waitpid(child, 0)[1] == 0
    return pickle.loads(data)


def check_nothing(result: Any) -> None:
    assert set(result) >= KEYS
    assert result["energy_j"] == result["duration_s"] == result["carbon_g"] == 0.0
    assert not result["complete"]
    assert len(result["missing"]) == 1
    assert "create an EnergyMeter in this process" in result["missing"][0]["reason"]


def test_windows_in_a_child_do_nothing_and_warn_once(meter: EnergyMeter) -> None:
    with meter.batch():
        pass
    with meter.epoch() as ended:
        pass
    opened = meter.window("open").start()

    def work() -> Any:
        opened.stop()
        results: list[Any] = [opened.to_dict(), ended.to_dict(), opened.wait(), ended.wait(0)]
        for _ in range(3):
            with meter.batch() as window:
                pass
            results.append(window.to_dict())
        items = list(meter.batches([1, 2, 3]))
        results += [meter.last_batch(), meter.last_epoch(), meter.last("open")]
        results += [meter.last_batch(final=True), meter.last("open", final=True)]
        summary = meter.summary()
        meter.reset()
        meter.close()
        return results, items, summary, meter.device, meter.channels, len(meter.absent)

    answer, texts = in_child(work)
    results, items, summary, device, channels, absent = answer
    assert items == [1, 2, 3]
    for result in results:
        check_nothing(result)
    assert summary["num_batches"] == 0
    assert summary["scope"]["pid"] != os.getpid()
    assert summary["run"]["missing"] == results[0]["missing"]
    assert device == "cpu"
    assert channels == []
    assert absent == 1
    assert len(texts) == 1
    assert "parent process" in texts[0]
    assert meter.summary()["num_batches"] == 1
    assert opened.stop().duration_s > 0


@pytest.mark.parametrize(("grams", "is_default"), [(None, True), (0, False), (56.5, False)])
def test_the_carbon_intensity_stays_what_was_given(
    make: MakeMeter, grams: float | None, is_default: bool
) -> None:
    meter = make(carbon_intensity_g_per_kwh=grams)
    summary, _ = in_child(meter.summary)
    basis = summary["carbon_basis"]
    assert summary["carbon_intensity_g_per_kwh"] == basis["g_per_kwh"]
    assert basis == meter.carbon_basis
    assert basis["is_default"] == is_default
    assert is_default or basis["g_per_kwh"] == grams


def test_a_window_that_the_parent_left_open_can_be_read(meter: EnergyMeter) -> None:
    opened = meter.batch().start()

    def work() -> Any:
        meter.close()
        return opened.to_dict()

    check_nothing(in_child(work)[0])


@pytest.mark.parametrize(
    "use",
    [
        lambda meter: meter.batch().start().stop().energy_j,
        lambda meter: meter.last_batch()["energy_j"],
        lambda meter: meter.last_batch(final=True)["energy_j"],
        lambda meter: meter.epoch().start().stop().wait()["energy_j"],
        lambda meter: meter.summary()["run"]["energy_j"],
        lambda meter: len(meter.channels),
        lambda meter: len(meter.absent) - 1,
        lambda meter: meter.reset(),
        lambda meter: sum(meter.batches([0, 0])),
        lambda meter: meter.window()(lambda: 0)(),
    ],
)
def test_every_first_use_warns(meter: EnergyMeter, use: Callable[[EnergyMeter], Any]) -> None:
    answer, texts = in_child(lambda: use(meter))
    assert not answer
    assert len(texts) == 1


def test_what_uses_nothing_warns_of_nothing(meter: EnergyMeter) -> None:
    assert in_child(lambda: meter.device) == (meter.device, [])
    assert in_child(meter.close) == (None, [])


def test_the_warning_points_at_the_users_line(meter: EnergyMeter) -> None:
    def work() -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with meter.batch():
                pass
        return [(one.filename, one.category.__name__) for one in caught]

    assert in_child(work)[0] == [(__file__, "EnergyMeterWarning")]


def test_a_loop_that_is_forked_goes_on_in_both(meter: EnergyMeter) -> None:
    seen = []
    iterator = iter(meter.batches(range(4)))
    seen.append(next(iterator))
    assert in_child(lambda: list(iterator))[0] == [1, 2, 3]
    seen += iterator
    assert seen == [0, 1, 2, 3]
    assert meter.summary()["num_batches"] == 4


def test_a_meter_of_its_own_works_in_a_child(meter: EnergyMeter) -> None:
    def work() -> Any:
        own = EnergyMeter(cpu_tdp_w=65.0)
        with own.batch() as window:
            pass
        summary = own.summary()
        own.close()
        return window.duration_s, summary["num_batches"], summary["scope"]["pid"] == os.getpid()

    (duration, count, is_own), _ = in_child(work)
    assert duration > 0
    assert count == 1
    assert is_own


def test_dropping_it_in_a_child_harms_nothing(meter: EnergyMeter) -> None:
    holder: list[Any] = [meter.batch().start(), iter(meter.batches([1])), meter]
    next(holder[1])

    def work() -> int:
        holder.clear()
        return len(holder)

    assert in_child(work)[0] == 0
    assert meter.summary()["run"]["duration_s"] > 0


PROGRAM = """
import json, multiprocessing, os, sys, time, warnings
from energy_meter import EnergyMeter, EnergyMeterWarning

def work(item):
    import energy_meter
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if METHOD == "fork":
            with METER.batch():
                pass
        own = energy_meter.EnergyMeter()
        with own.batch() as window:
            pass
        own.close()
    return window.duration_s > 0, [str(one.message) for one in caught]

METHOD = sys.argv[1]
if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EnergyMeterWarning)
        METER = EnergyMeter(sample_interval=0.01)
    with METER.epoch():
        with multiprocessing.get_context(METHOD).Pool(2) as pool:
            answers = pool.map(work, range(4), chunksize=1)
            pool.close()
            pool.join()
    print(json.dumps([answers, METER.summary()["num_epochs"]]))
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers(tmp_path: Any, method: str) -> None:
    """A meter made in a worker works, and what the parent was told is not repeated there."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", program, method],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answers, epochs = json.loads(done.stdout)
    assert epochs == 1
    for measured, texts in answers:
        assert measured
        assert all("parent process" in text for text in texts)
        assert len(texts) <= (1 if method == "fork" else 0)
    assert method != "fork" or any(texts for _, texts in answers)


def test_a_child_that_exits_normally_ends_cleanly(run_python: RunPython) -> None:
    done = run_python(
        "import os, sys, warnings; warnings.simplefilter('ignore')\n"
        "from energy_meter import EnergyMeter\n"
        "meter = EnergyMeter(sample_interval=0.01)\n"
        "window = meter.batch().start()\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(7)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
        "assert window.stop().duration_s > 0\n"
        "meter.summary()\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
