# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A training loop of about 5 ms a batch, with and without the meter in turns: ``loop.py PAIRS``.

Prints a line of JSON: the difference of each pair of stretches in parts of the time without, by
the wall clock and by the CPU time of the whole process, the sampler's included.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # the variables above have to be set before

from energy_meter import EnergyMeter

STRETCH_S, BATCH_S = 1.0, 0.005


class Network:
    """Two layers, trained by gradient descent on data of its own: the same work every batch."""

    def __init__(self, batch: int) -> None:
        random = np.random.default_rng(1)
        self.inputs = random.standard_normal((batch, 256))
        self.targets = random.standard_normal((batch, 16))
        self.first = random.standard_normal((256, 256)) / 16
        self.second = random.standard_normal((256, 16)) / 16

    def train(self) -> None:
        hidden = np.maximum(self.inputs @ self.first, 0)
        error = hidden @ self.second - self.targets
        gradient = error @ self.second.T * (hidden > 0)
        self.second -= 1e-6 * hidden.T @ error
        self.first -= 1e-6 * self.inputs.T @ gradient


def seconds_of(network: Network, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        network.train()
    return (time.perf_counter() - start) / count


def find_network() -> Network:
    size = 64
    while seconds_of(Network(size), 20) < BATCH_S:
        size = size * 5 // 4
    return Network(size)


def stretch(network: Network, batches: int, meter: EnergyMeter | None) -> tuple[float, float]:
    start, used = time.perf_counter(), time.process_time()
    if meter is None:
        for _ in range(batches):
            network.train()
    else:
        for _ in range(batches):
            with meter.batch():
                network.train()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    network = find_network()
    batches = round(STRETCH_S / seconds_of(network, 100))
    differences: dict[str, list[float]] = {"wall": [], "cpu": []}
    for pair in range(int(sys.argv[1])):
        taken = {}
        for metered in (True, False) if pair % 2 else (False, True):
            meter = EnergyMeter() if metered else None
            stretch(network, 10, meter)
            taken[metered] = stretch(network, batches, meter)
            if meter is not None:
                meter.close()
        for at, clock in enumerate(differences):
            differences[clock].append(taken[True][at] / taken[False][at] - 1)
    print(json.dumps({"batch_ms": 1e3 * STRETCH_S / batches, **differences}))


main()
