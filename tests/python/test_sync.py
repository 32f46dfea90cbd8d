# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Who waits for the GPU, when, and what if that fails; with stand-ins for torch and cupy."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning, Window

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter, RunPython

Use = Callable[[EnergyMeter], object]


class Cuda:
    """torch.cuda as a meter may meet it. A synchronisation kills a capture, as CUDA does."""

    def __init__(self) -> None:
        self.initialised = True
        self.capturing = False
        self.looks = 0
        self.synchronised: list[tuple[int, ...]] = []
        self.seconds = 0.0
        self.error: BaseException | None = None

    def is_initialized(self) -> bool:
        self.looks += 1
        return self.initialised

    def is_current_stream_capturing(self) -> bool:
        return self.capturing

    def synchronize(self, *device: int) -> None:
        self.initialised = True
        self.synchronised.append(device)
        time.sleep(self.seconds)
        if self.capturing:
            self.capturing = False
            raise RuntimeError("operation not permitted when stream is capturing")
        if self.error is not None:
            raise self.error


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    cuda = Cuda()
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    return cuda


def use(window: Window) -> None:
    with window:
        pass


def decorated(meter: EnergyMeter) -> None:
    meter.window()(lambda: None)()


def decorated_coroutine(meter: EnergyMeter) -> None:
    @meter.epoch()
    async def train() -> None:
        await asyncio.sleep(0)

    asyncio.run(train())


def cut_short(items: Any) -> None:
    for item in items:
        if item == 1:
            break


def closed(items: Any) -> None:
    iterator = iter(items)
    next(iterator)
    iterator.close()
    iterator.close()


def failing() -> Iterator[int]:
    yield 0
    raise OSError("the disk is gone")


def by_a_failing_loader(loop: Callable[[Iterator[int]], Any]) -> None:
    with pytest.raises(OSError, match="disk"):
        list(loop(failing()))


# How many windows that are not batches end, and how many batches do.
ENDS: list[tuple[Use, int, int]] = [
    (lambda meter: use(meter.epoch()), 1, 0),
    (lambda meter: use(meter.epoch("warm-up")), 1, 0),
    (lambda meter: use(meter.window("validation")), 1, 0),
    (lambda meter: use(meter.window()), 1, 0),
    (lambda meter: use(meter.batch()), 0, 1),
    (lambda meter: use(meter.batch("train")), 0, 1),
    (lambda meter: meter.window("by hand").start().stop().stop(), 1, 0),
    (lambda meter: meter.batch().start().stop(), 0, 1),
    (decorated, 1, 0),
    (decorated_coroutine, 1, 0),
    (lambda meter: list(meter.epochs(range(3))), 3, 0),
    (lambda meter: list(meter.batches(range(3))), 0, 3),
    (lambda meter: list(meter.batches(range(3), "val")), 0, 3),
    (lambda meter: list(meter.epochs([])), 0, 0),
    (lambda meter: cut_short(meter.epochs(range(9))), 2, 0),
    (lambda meter: cut_short(meter.batches(range(9))), 0, 2),
    (lambda meter: closed(meter.epochs(range(9))), 1, 0),
    (lambda meter: by_a_failing_loader(meter.epochs), 2, 0),
]


@pytest.mark.parametrize(("work", "others", "batches"), ENDS)
@pytest.mark.parametrize("sync", ["auto", True, False])
def test_what_waits(
    make: MakeMeter, cuda: Cuda, sync: Any, work: Use, others: int, batches: int
) -> None:
    meter = make(sync=sync)
    work(meter)
    gc.collect()
    summary = meter.summary()
    assert summary["num_batches"] + summary["num_epochs"] <= others + batches
    wanted = {"auto": others, True: others + batches, False: 0}[sync]
    assert len(cuda.synchronised) == wanted


def test_auto_is_what_is_not_said(meter: EnergyMeter, cuda: Cuda) -> None:
    use(meter.batch())
    assert cuda.looks == 0
    use(meter.epoch())
    assert len(cuda.synchronised) == 1


def test_a_turn_waits_before_the_next_begins(make: MakeMeter, cuda: Cuda) -> None:
    """The end of one turn is the begin of the next, so that the wait belongs to the first."""
    meter = make()
    turns = iter(meter.epochs(range(2)))
    next(turns)
    assert cuda.synchronised == []
    cuda.seconds = 0.05
    next(turns)
    first = meter.last_epoch()
    cuda.seconds = 0.0
    assert list(turns) == []
    second = meter.last_epoch()
    assert first is not None
    assert second is not None
    assert first["duration_s"] >= 0.05 > second["duration_s"]


def test_the_wait_is_in_the_window_and_its_time_is_told(meter: EnergyMeter, cuda: Cuda) -> None:
    cuda.seconds = 0.03
    with meter.epoch() as epoch:
        begun = time.monotonic()
    passed = time.monotonic() - begun
    assert epoch.duration_s >= 0.03
    record: Any = epoch._record
    assert 0.03 <= record.result().wait_ns / 1e9 <= passed
    with meter.batch() as batch:
        pass
    record = batch._record
    assert record.result().wait_ns == 0


@pytest.mark.parametrize("limit", [0, 0.001, 0.25, 1])
def test_the_summary_shows_the_limit_and_what_was_waited(make: MakeMeter, limit: float) -> None:
    meter = make(overhead_limit=limit, sync=lambda: time.sleep(0.01))
    for _ in meter.epochs(range(2)):
        list(meter.batches(range(2)))
    summary = meter.summary()
    overhead = summary["overhead"]
    assert overhead["limit"] == limit
    assert 0.06 <= overhead["sync_s"] <= summary["run"]["duration_s"]
    assert overhead["caller_s"] is not None
    assert 0 < overhead["caller_s"] < 0.06


def test_no_begin_waits(make: MakeMeter, cuda: Cuda) -> None:
    meter = make(sync=True)
    windows = [meter.epoch().start(), meter.window("w").start(), meter.batch().start()]
    assert cuda.synchronised == []
    for window in windows:
        window.stop()
    assert len(cuda.synchronised) == 3


def test_a_capture_is_left_alone(make: MakeMeter, cuda: Cuda) -> None:
    meter = make(sync=True)
    cuda.capturing = True
    use(meter.epoch())
    use(meter.batch())
    list(meter.epochs(range(2)))
    assert cuda.capturing
    assert cuda.synchronised == []
    cuda.capturing = False
    use(meter.epoch())
    assert len(cuda.synchronised) == 1


def test_cuda_is_not_initialised(make: MakeMeter, cuda: Cuda) -> None:
    meter = make(sync=True)
    cuda.initialised = False
    use(meter.epoch())
    list(meter.batches(range(2)))
    assert not cuda.initialised
    assert cuda.synchronised == []


def test_no_framework_is_imported(run_python: RunPython, tmp_path: Path) -> None:
    for name in ("torch", "cupy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    done = run_python(
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from energy_meter import EnergyMeter\n"
        "meter = EnergyMeter(sync=True)\n"
        "with meter.epoch(), meter.batch(): pass\n"
        "meter.last_batch()\n"
        "assert not {'torch', 'cupy'} & set(sys.modules)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def raising(*_: object) -> Any:
    raise RuntimeError("odd")


class Odd:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class Silent(Cuda):
    is_current_stream_capturing = property(raising)


class Unsure(Cuda):
    def is_current_stream_capturing(self) -> bool:
        raise RuntimeError("the stream cannot be asked")


class Unready(Cuda):
    def is_initialized(self) -> bool:
        raise ImportError("partially initialised")


@pytest.mark.parametrize(
    "module",
    [
        None,
        types.ModuleType("torch"),
        Odd(),
        7,
        types.SimpleNamespace(cuda=None),
        types.SimpleNamespace(cuda=types.ModuleType("torch.cuda")),
        types.SimpleNamespace(cuda=Silent()),
        types.SimpleNamespace(cuda=Unsure()),
        types.SimpleNamespace(cuda=Unready()),
        types.SimpleNamespace(cuda=types.SimpleNamespace(is_initialized=lambda: True)),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("name", ["torch", "cupy"])
def test_odd_modules_break_nothing(
    make: MakeMeter, monkeypatch: pytest.MonkeyPatch, name: str, module: Any
) -> None:
    monkeypatch.setitem(sys.modules, name, module)
    meter = make(sync=True)
    with meter.epoch() as epoch, meter.batch():
        pass
    assert epoch.wait()["final"]
    cuda = getattr(module, "cuda", None) if not isinstance(module, Odd) else None
    assert getattr(cuda, "synchronised", []) == []


def test_a_lazy_module_stays_unloaded(
    make: MakeMeter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('imported')")
    spec = importlib.util.spec_from_file_location("torch", tmp_path / "torch.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    meter = make(sync=True)
    monkeypatch.setitem(sys.modules, "torch", module)
    use(meter.epoch())
    with pytest.raises(SystemExit):
        _ = module.cuda


def test_an_error_of_the_wait_is_the_frameworks_to_raise(meter: EnergyMeter, cuda: Cuda) -> None:
    cuda.error = RuntimeError("CUDA error: device-side assert triggered")
    with meter.epoch() as epoch:
        pass
    assert list(meter.epochs(range(2))) == [0, 1]
    assert epoch.wait()["final"]
    assert len(cuda.synchronised) == 3
    with pytest.raises(RuntimeError, match="device-side assert"):
        cuda.synchronize()


def test_the_users_own_error_passes(meter: EnergyMeter, cuda: Cuda) -> None:
    cuda.error = RuntimeError("CUDA error")
    with pytest.raises(ZeroDivisionError), meter.epoch() as epoch:
        _ = 1 // 0
    assert len(cuda.synchronised) == 1
    assert epoch.wait()["final"]


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
def test_who_leaves_does_not_wait(
    meter: EnergyMeter, cuda: Cuda, leaving: type[BaseException]
) -> None:
    """A GPU that hangs would hold the program that the user has just interrupted."""
    with pytest.raises(leaving), meter.epoch() as epoch:
        raise leaving
    assert cuda.synchronised == []

    def load() -> Iterator[int]:
        yield 0
        cuda.synchronised.clear()
        raise leaving

    with pytest.raises(leaving):
        list(meter.epochs(load()))
    assert cuda.synchronised == []
    assert epoch.wait()["final"]
    assert meter.summary()["num_epochs"] == 3


WAITING: list[Use] = [
    lambda meter: use(meter.epoch()),
    lambda meter: meter.epoch().start().stop(),
    lambda meter: list(meter.epochs(range(5))),
    lambda meter: meter.epoch()(lambda: None)(),
]


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("work", WAITING)
@pytest.mark.parametrize("own", [False, True])
def test_an_interrupt_of_the_wait_passes_and_the_window_has_ended(
    make: MakeMeter, cuda: Cuda, leaving: type[BaseException], work: Use, own: bool
) -> None:
    meter = make(sync=cuda.synchronize if own else "auto")
    cuda.error = leaving()
    with pytest.raises(leaving) as caught:
        work(meter)
    assert caught.value is cuda.error
    assert len(cuda.synchronised) == 1
    last = meter.last_epoch()
    assert last is not None
    time.sleep(0.01)
    later = meter.last_epoch()
    assert later is not None
    assert later["duration_s"] == last["duration_s"]
    assert meter.summary()["num_epochs"] == 1


def test_a_function_of_ones_own(make: MakeMeter, cuda: Cuda) -> None:
    calls: list[tuple[object, ...]] = []

    def wait(*arguments: object) -> None:
        calls.append(arguments)

    meter = make(sync=wait)
    with meter.epoch():
        list(meter.batches(range(2)))
        use(meter.window("validation"))
        use(meter.batch())
    assert calls == [()] * 5
    assert cuda.looks == 0
    assert cuda.synchronised == []


class Empty:
    """Callable, and false."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1

    def __len__(self) -> int:
        return 0


def test_any_callable_is_a_function(make: MakeMeter, cuda: Cuda) -> None:
    wait = Empty()
    use(make(sync=wait).batch())
    assert wait.calls == 1
    assert cuda.synchronised == []


def test_an_error_of_ones_own_function_warns_once(make: MakeMeter) -> None:
    meter = make(sync=lambda: 1 // 0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            use(meter.batch())
        list(meter.epochs(range(2)))
    assert [one.category for one in caught] == [EnergyMeterWarning]
    assert "ZeroDivisionError" in str(caught[0].message)
    assert "sync=False" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert meter.summary()["num_batches"] == 3
    assert meter.summary()["num_epochs"] == 2


def test_nothing_is_waited_for_where_nothing_is_measured(make: MakeMeter, cuda: Cuda) -> None:
    disabled = make(enabled=False)
    use(disabled.epoch())
    list(disabled.epochs(range(2)))
    assert cuda.looks == 0
    calls: list[int] = []

    def wait() -> None:
        calls.append(os.getpid())

    meter = make(enabled=False, sync=wait)
    with meter.epoch() as epoch:
        pass
    assert epoch.reasons == ["nothing is measured: the meter was created with enabled=False"]
    meter = make(sync=wait)
    opened = meter.epoch().start()
    turns = iter(meter.batches(range(9)))
    next(turns)
    meter.close()
    opened.stop()
    del turns
    assert calls == []


def test_a_forked_child_does_not_wait(make: MakeMeter) -> None:
    reader, writer = os.pipe()
    meter = make(sync=lambda: os.write(writer, b"waited"))
    opened = meter.epoch().start()
    turns = iter(meter.epochs(range(9)))
    next(turns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
        if child == 0:
            opened.stop()
            next(turns)
            del turns
            use(meter.epoch())
            os._exit(0 if opened.wait()["final"] and meter.last_epoch(final=True) else 1)
    assert os.waitpid(child, 0)[1] == 0
    os.write(writer, b"nobody")
    assert os.read(reader, 6) == b"nobody"
    opened.stop()
    assert os.read(reader, 6) == b"waited"
    del turns
    os.close(reader)
    os.close(writer)


def test_an_open_loop_at_the_end_of_the_program(run_python: RunPython) -> None:
    done = run_python(
        "import sys, types, warnings; warnings.simplefilter('ignore')\n"
        "from energy_meter import EnergyMeter\n"
        "meter = EnergyMeter(sync=lambda: print('waited'))\n"
        "turns = iter(meter.epochs(range(9)))\n"
        "next(turns)\n"
        "types.kept = turns\n"
        "del turns\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ""


def test_only_gpus_in_use_are_synchronised(
    make: MakeMeter, cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To synchronise a GPU without a context would make one, of hundreds of megabytes."""
    contexts = [False, True, False, True]
    native = types.SimpleNamespace(_cuda_hasPrimaryContext=lambda index: contexts[index])
    monkeypatch.setattr(sys.modules["torch"], "_C", native, raising=False)
    monkeypatch.setattr(cuda, "device_count", lambda: len(contexts), raising=False)
    meter = make()
    use(meter.epoch())
    assert cuda.synchronised == [(1,), (3,)]
    contexts[:] = [False] * 4
    use(meter.epoch())
    assert len(cuda.synchronised) == 2
    monkeypatch.setattr(cuda, "device_count", lambda: 0)
    use(meter.epoch())
    assert cuda.synchronised[2:] == [()]


class Cupy:
    """cupy.cuda, as far as a meter may use it."""

    def __init__(self) -> None:
        self.context = 4711
        self.capturing = False
        self.synchronised = 0
        self.driver = types.SimpleNamespace(ctxGetCurrent=lambda: self.context)
        self.runtime = types.SimpleNamespace(deviceSynchronize=self._synchronise)

    def get_current_stream(self) -> Any:
        return types.SimpleNamespace(is_capturing=lambda: self.capturing)

    def _synchronise(self) -> None:
        self.synchronised += 1


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Cupy:
    cupy = Cupy()
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(cuda=cupy))
    return cupy


def test_cupy(meter: EnergyMeter, cupy: Cupy) -> None:
    use(meter.batch())
    assert cupy.synchronised == 0
    use(meter.epoch())
    assert cupy.synchronised == 1
    cupy.capturing = True
    use(meter.epoch())
    cupy.capturing, cupy.context = False, 0
    use(meter.epoch())
    assert cupy.synchronised == 1


def test_torch_comes_before_cupy_and_each_may_capture(
    meter: EnergyMeter, cuda: Cuda, cupy: Cupy
) -> None:
    use(meter.epoch())
    assert (len(cuda.synchronised), cupy.synchronised) == (1, 0)
    cupy.capturing = True
    use(meter.epoch())
    assert (len(cuda.synchronised), cupy.synchronised) == (1, 0)
    cupy.capturing, cuda.initialised = False, False
    use(meter.epoch())
    assert (len(cuda.synchronised), cupy.synchronised) == (1, 1)
