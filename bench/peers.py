# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""One meter's cost, in a process of its own: ``peers.py NAME WINDOWS`` prints a line of JSON.

import_s: the import alone. first_s: from before the import to the end of the first window.
window_s: the mean of the empty windows that followed, a list of one figure a round.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable

ROUNDS = 5

Window = Callable[[], None]


def energy_meter(windows: int) -> Window:
    from energy_meter import EnergyMeter

    meter = EnergyMeter()

    def window() -> None:
        with meter.batch():
            pass

    return window


def codecarbon(windows: int) -> Window:
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code="FRA", save_to_file=False, log_level="critical", allow_multiple_runs=True
    )

    def window() -> None:
        tracker.start_task()
        tracker.stop_task()

    return window


def zeus(windows: int) -> Window:
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor()

    def window() -> None:
        monitor.begin_window("w", sync_execution=False)
        monitor.end_window("w", sync_execution=False)

    return window


def carbontracker(windows: int) -> Window:
    from carbontracker.tracker import CarbonTracker

    tracker = CarbonTracker(
        epochs=windows * ROUNDS + 1,
        monitor_epochs=-1,
        epochs_before_pred=0,
        verbose=0,
        ignore_errors=True,
    )

    def window() -> None:
        tracker.epoch_start()
        tracker.epoch_end()

    return window


def pyjoules(windows: int) -> Window:
    from pyJoules.device import DeviceFactory
    from pyJoules.energy_meter import EnergyMeter

    meter = EnergyMeter(DeviceFactory.create_devices())

    def window() -> None:
        meter.start()
        meter.stop()

    return window


METERS: dict[str, tuple[str, Callable[[int], Window]]] = {
    "energy_meter": ("energy_meter", energy_meter),
    "codecarbon": ("codecarbon", codecarbon),
    "zeus": ("zeus.monitor", zeus),
    "carbontracker": ("carbontracker.tracker", carbontracker),
    "pyJoules": ("pyJoules.energy_meter", pyjoules),
}


def main() -> None:
    name, windows = sys.argv[1], int(sys.argv[2])
    module, make = METERS[name]
    logging.disable(logging.CRITICAL)
    start = time.perf_counter()
    __import__(module)
    imported = time.perf_counter()
    window = make(windows)
    window()
    first = time.perf_counter()
    means = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(windows):
            window()
        means.append((time.perf_counter() - begin) / windows)
    print(
        json.dumps({"import_s": imported - start, "first_s": first - start, "window_s": means}),
        flush=True,
    )


main()
