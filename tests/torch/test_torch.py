# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A real torch training loop on the CPU under the meter. `make check-torch` installs torch."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from energy_meter import EnergyMeter, EnergyMeterWarning  # noqa: E402


@pytest.fixture
def meter() -> Iterator[EnergyMeter]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EnergyMeterWarning)
        meter = EnergyMeter(sample_interval=0.01, cpu_tdp_w=65.0)
    with meter:
        yield meter


def dataset(count: int) -> object:
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(count, 16, generator=generator)
    return torch.utils.data.TensorDataset(inputs, inputs.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_loop(meter: EnergyMeter, workers: int) -> None:
    loader = torch.utils.data.DataLoader(dataset(256), batch_size=32, num_workers=workers)
    model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for _ in meter.epochs(range(3)):
        measured = meter.batches(loader)
        assert len(measured) == 8
        for inputs, wanted in measured:
            optimiser.zero_grad()
            loss = torch.nn.functional.mse_loss(model(inputs), wanted)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    assert sum(losses[-8:]) < sum(losses[:8])
    summary = meter.summary()
    assert summary["num_epochs"] == 3
    assert summary["num_batches"] == 24
    epochs, batches, run = summary["epoch_summary"], summary["batch_summary"], summary["run"]
    assert 0 < batches["total_energy_j"] <= epochs["total_energy_j"] <= run["energy_j"]
    assert batches["total_duration_s"] <= epochs["total_duration_s"] <= run["duration_s"]


def measure_in_worker(item: int) -> int:
    """In a forked worker of a loader the meter of the parent measures nothing and warns once."""
    assert PARENT is not None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            with PARENT.batch():
                pass
    ours = [one for one in caught if issubclass(one.category, EnergyMeterWarning)]
    assert len(ours) <= 1
    result = PARENT.last_batch()
    assert result is None or not result["complete"]
    return item


PARENT: EnergyMeter | None = None


class InWorker:
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        if index >= len(self):
            raise IndexError(index)
        return measure_in_worker(index)


def test_the_meter_of_the_parent_in_workers(meter: EnergyMeter) -> None:
    global PARENT
    PARENT = meter
    try:
        loader = torch.utils.data.DataLoader(
            InWorker(), batch_size=2, num_workers=2, multiprocessing_context="fork"
        )
        items = [int(item) for batch in meter.batches(loader) for item in batch]
    finally:
        PARENT = None
    assert sorted(items) == list(range(8))
    assert meter.summary()["num_batches"] == 4


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_a_device_of_torch(device: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EnergyMeterWarning)
        with EnergyMeter(device=device) as meter:
            assert meter.device == "cpu"


def test_a_device_that_is_not_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match="cuda:7"):
        EnergyMeter(device=torch.device("cuda", 7))


def test_cuda_is_never_initialised(meter: EnergyMeter) -> None:
    with meter.batch():
        torch.ones(3).sum()
    assert not torch.cuda.is_initialized()


@pytest.mark.parametrize("sync", ["auto", True])
def test_without_cuda_nothing_waits(monkeypatch: pytest.MonkeyPatch, sync: Any) -> None:
    """To look whether there is something to wait for takes microseconds, and starts nothing."""
    if torch.cuda.is_initialized():
        pytest.skip("CUDA is in use here")
    calls: list[object] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda *device: calls.append(device))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EnergyMeterWarning)
        meter = EnergyMeter(cpu_tdp_w=65.0, sync=sync)
    with meter:
        begin = time.perf_counter()
        for _ in range(1000):
            with meter.epoch(), meter.window("validation"), meter.batch():
                pass
        assert (time.perf_counter() - begin) / 1000 < 200e-6
        assert list(meter.epochs(meter.batches(range(3)))) == [0, 1, 2]
        batch = meter.last_batch(final=True)
        assert batch is not None
        assert batch["final"]
        assert not any("synchronised" in reason for reason in batch["reasons"])
        assert meter.summary()["num_epochs"] == 1003
    assert calls == []
    assert not torch.cuda.is_initialized()


def test_with_cuda_queued_work_is_waited_for(meter: EnergyMeter) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no GPU that torch can use")
    matrix = torch.randn(8192, 8192, device="cuda")
    for window, is_done in ((meter.batch(), False), (meter.epoch(), True)):
        torch.cuda.synchronize()
        done = torch.cuda.Event()
        with window:
            for _ in range(50):
                matrix = (matrix @ matrix).clamp(-1, 1)
            done.record()
        assert done.query() == is_done
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph), meter.epoch():
        matrix += 1
    graph.replay()
    torch.cuda.synchronize()


def test_torch_is_never_imported_for_it() -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from energy_meter import EnergyMeter\n"
        "meter = EnergyMeter(device='auto')\n"
        "with meter.batch(): pass\n"
        "meter.summary(); meter.close()\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
