# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""EnergyMeter: the energy of this machine's CPUs, memory and GPUs while your code runs."""

from __future__ import annotations

from . import _arguments, _native, _sync
from ._errors import InvalidArgument, MeterForked
from ._loops import Loop
from ._null import DISABLED, FORKED, NullMeter
from ._window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from os import PathLike
    from types import TracebackType
    from typing import Never, Self, SupportsFloat, SupportsIndex, TypeVar

    from .types import (
        AbsenceInfo,
        ChannelInfo,
        Measured,
        MergedSummary,
        Summary,
        WindowResult,
    )

    T = TypeVar("T")


class EnergyMeter:
    """Measures the CPUs, memory and GPUs of this machine, all work on them included.

    sample_interval: seconds between readings while a window is open, from 0.001 to 60.
    cpu_tdp_w, gpu_tdp_w: watts of one CPU or GPU as on its data sheet, for what has no reading. In
        a virtual machine: of the CPUs that it has, data sheet x its CPUs / threads of the CPU.
    carbon_intensity_g_per_kwh: g CO2e/kWh; None: the world average.
    device: "auto", "cpu" (no GPU is counted), "gpu" (one must be there), "cuda:1", a torch.device.
    gpus: "visible" (as CUDA_VISIBLE_DEVICES, ROCR_VISIBLE_DEVICES, HIP_VISIBLE_DEVICES and
        ZE_AFFINITY_MASK say), "all", "local_rank", indices, or UUIDs.
    require: of "cpu", "gpu", "dram": what must have a reading that is no model.
    channels: patterns of channel names: "-gpu-1*" leaves out, "+gpu-1*" takes that back, and a
        whole name, "+platform/psys", is counted whatever its role; later ones over earlier ones.
    enabled: False: every call works, costs nothing and measures nothing.
    dram_model: True: memory that no counter measures is estimated from its size, where the CPUs
    are measured.
    sync: "auto" waits for the GPU work that torch or cupy has queued, at the ends of epochs and
        of windows of your own; True: of batches, too; False: never; or a function that waits.
    overhead_limit: the fraction of the time up to which sensors are read where windows begin and
        end. Windows so short that their own begin and end take more are never read at the edges.
    trace: a new file to write, from which ``energy_meter.replay`` gives the same summary again.

    A program that imports logging before finds the sensors and channels in the logger
    "energy_meter", at DEBUG.
    """

    __slots__ = ("__weakref__", "_begin", "_intensity", "_native", "_run", "_trace", "_waits")

    # Recorded machines are measured by subclasses that set these.
    _root = "/"
    _as_user = False

    def __init__(
        self,
        sample_interval: SupportsFloat = 0.1,
        cpu_tdp_w: SupportsFloat | None = None,
        gpu_tdp_w: SupportsFloat | None = None,
        carbon_intensity_g_per_kwh: SupportsFloat | None = None,
        device: object = "auto",
        gpus: str | SupportsIndex | Sequence[str | SupportsIndex] = "visible",
        require: Collection[str] = (),
        enabled: bool = True,
        *,
        dram_model: bool = False,
        sync: _sync.Choice = "auto",
        overhead_limit: SupportsFloat = 0.001,
        trace: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        channels: str | Sequence[str] | None = None,
        **unknown: Never,
    ) -> None:
        if unknown:
            raise _arguments.unknown(unknown)
        interval_ns = _arguments.interval_ns(sample_interval)
        cpu_w = _arguments.tdp_w("cpu_tdp_w", cpu_tdp_w)
        gpu_w = _arguments.tdp_w("gpu_tdp_w", gpu_tdp_w)
        intensity = _arguments.intensity(carbon_intensity_g_per_kwh)
        where = _arguments.device(device)
        which = _arguments.gpus(gpus)
        needed = _arguments.require(require)
        flags = _native.FLAG_MODEL_DRAM if _arguments.flag("dram_model", dram_model) else 0
        wanted = _arguments.sync(sync)
        limit = _arguments.overhead_limit(overhead_limit)
        self._trace = None if trace is None else _arguments.path("trace", trace)
        patterns = _arguments.channels(channels)
        if where == "cpu" and needed & _native.DOMAIN_GPU:
            raise InvalidArgument(
                'require names "gpu", and device="cpu" counts none; drop one of the two'
            )
        if where.startswith("cuda:"):
            if which not in ("visible", where.removeprefix("cuda:")):
                raise InvalidArgument(
                    f"device={_arguments.shown(device)} names one GPU and "
                    f"gpus={_arguments.shown(gpus)} others; give one of the two"
                )
            which = where
        self._intensity = None if intensity != intensity else intensity
        self._native: _native.Meter | NullMeter
        if not _arguments.flag("enabled", enabled):
            wanted = False
            self._native = NullMeter(DISABLED, self._intensity)
        else:
            self._native = self._open(
                interval_ns, limit, cpu_w, gpu_w, intensity, where, which, needed, flags, patterns
            )
        self._waits = _sync.waits(wanted)
        self._begin = self._native.begin
        self._run = self._begin(_native.KIND_RUN, None, True)
        if isinstance(self._native, _native.Meter):
            from ._notices import announce

            announce(self._native, self._run.result(), has_gpu=where != "cpu", gpus=which)

    def _open(
        self,
        interval_ns: int,
        limit: float,
        cpu_w: float,
        gpu_w: float,
        intensity: float,
        device: str,
        gpus: str,
        needed: int,
        flags: int,
        channels: str,
    ) -> _native.Meter:
        from . import _devices, _notices

        wants_gpu = device not in ("auto", "cpu")
        has_gpu_tdp = gpu_w == gpu_w
        trace_fd = -1
        if self._trace is not None:
            from ._trace import create

            trace_fd = create(self._trace)
        try:
            native = _native.Meter(
                sample_interval_ns=interval_ns,
                overhead_limit=limit,
                cpu_tdp_w=cpu_w,
                gpu_tdp_w=gpu_w,
                carbon_g_per_kwh=intensity,
                without=_native.DOMAIN_GPU if device == "cpu" else 0,
                require=needed,
                flags=flags
                | (_native.FLAG_PRESENT_GPU if wants_gpu and has_gpu_tdp else 0)
                | (_native.FLAG_AS_USER if self._as_user else 0),
                gpus=gpus,
                environment=_devices.environment(),
                root=self._root,
                trace_fd=trace_fd,
                channels=channels,
            )
        except BaseException as error:
            if self._trace is not None:
                from ._trace import discard

                discard(self._trace, trace_fd)
            if not isinstance(error, InvalidArgument) or gpus != device:
                raise
            raise InvalidArgument(str(error).replace("gpus=", "device=", 1)) from None
        if wants_gpu and native.device != "gpu":
            raise InvalidArgument(_notices.no_gpu(device, native.absences()))
        return native

    def _forked(self) -> NullMeter:
        """What stands in for the parent's meter in a child from now on."""
        if not isinstance(self._native, NullMeter):
            from . import _notices

            self._native = NullMeter(FORKED, self._intensity)
            self._begin = self._native.begin
            _notices.warn(f"Nothing is measured here: {FORKED}.")
        return self._native

    def batch(self, name: str | None = None) -> Window:
        """A window around a batch: ``with meter.batch():``. Measures what is inside the block."""
        if name is not None:
            name = _arguments.window_name(name, "batch")
        return Window(self, _native.KIND_BATCH, name)

    def epoch(self, name: str | None = None) -> Window:
        """A window around an epoch: ``with meter.epoch():``."""
        if name is not None:
            name = _arguments.window_name(name, "epoch")
        return Window(self, _native.KIND_EPOCH, name)

    def window(self, name: str | None = None) -> Window:
        """A window of your own: ``with meter.window("validation"):``."""
        if name is not None:
            name = _arguments.window_name(name, "window")
        return Window(self, _native.KIND_OTHER, name)

    def batches(self, items: Iterable[T], name: str | None = None) -> Measured[T]:
        """``for batch in meter.batches(loader):`` measures each turn, its loading included."""
        return self._loop(_native.KIND_BATCH, items, name, "batches")

    def epochs(self, items: Iterable[T], name: str | None = None) -> Measured[T]:
        """``for epoch in meter.epochs(range(10)):`` measures each turn."""
        return self._loop(_native.KIND_EPOCH, items, name, "epochs")

    def _loop(self, kind: int, items: Iterable[T], name: str | None, call: str) -> Loop:
        if not hasattr(type(items), "__iter__") and not hasattr(type(items), "__getitem__"):
            raise TypeError(
                f"{call}() takes something to iterate over, such as a loader or range(10), "
                f"not {_arguments.shown(items)}"
            )
        if name is not None:
            name = _arguments.window_name(name, call)
        return Loop(self, kind, name, items)

    def last_batch(self, *, final: bool = False) -> WindowResult | None:
        """The result of the batch that ended last; None before the first.

        What is known now, or with final=True, which waits as summary() does, what stays.
        """
        return self._last(_native.KIND_BATCH, None, final)

    def last_epoch(self, *, final: bool = False) -> WindowResult | None:
        """The result of the epoch that ended last, as last_batch(); None before the first."""
        return self._last(_native.KIND_EPOCH, None, final)

    def last(self, name: str, *, final: bool = False) -> WindowResult | None:
        """The result of the window of this name that ended last; None before the first."""
        return self._last(_native.KIND_ANY, _arguments.window_name(name, "last"), final)

    def _last(self, kind: int, name: str | None, final: bool) -> WindowResult | None:
        from ._results import to_dict

        timeout_ns = _arguments.SETTLE_NS if final else 0
        try:
            result = self._native.last(kind, name, timeout_ns)
        except MeterForked:
            result = self._forked().last(kind, name, timeout_ns)
        return None if result is None else to_dict(result, _sync.reason(result))

    def summary(self) -> Summary:
        """All windows by kind and name, and the run from construction to now; JSON-serialisable.

        Waits until what has ended is final: about one sample interval, never above two seconds.
        """
        import json

        try:
            text = self._native.summary(_arguments.SETTLE_NS)
        except MeterForked:
            text = self._forked().summary(_arguments.SETTLE_NS)
        summary: Summary = json.loads(text)
        return summary

    @staticmethod
    def merge(summaries: Iterable[Mapping[str, object] | Summary | str | bytes]) -> MergedSummary:
        """One summary of several processes: of what each one's ``summary()`` gave, or its JSON.

        Each device counts once over the union of their time; different hosts add up. Energies of
        windows are None where processes measured the same devices at the same time.
        """
        from ._merge import merge

        return merge(summaries)

    @property
    def device(self) -> str:
        """When a GPU is counted "gpu", else "cpu"."""
        return self._native.device

    @property
    def gpu_name(self) -> str | None:
        """The model: "NVIDIA H200", "8 x NVIDIA H200"; different ones joined by ", ", or None."""
        return self._native.gpu_name

    def _get_gpu_name(self) -> str | None:
        return self.gpu_name

    @property
    def channels(self) -> list[ChannelInfo]:
        """Every source of numbers, and how it enters the total."""
        try:
            channels = self._native.channels()
        except MeterForked:
            channels = self._forked().channels()
        return [
            {
                "name": c.name,
                "sensor": c.sensor,
                "source": c.source,
                "domain": c.domain,
                "kind": c.kind,
                "role": c.role,
                "of": c.of,
                "reason": c.reason or None,
            }
            for c in channels
        ]

    @property
    def absent(self) -> list[AbsenceInfo]:
        """Every sensor that gives nothing here, why, and what to do about it."""
        try:
            absences = self._native.absences()
        except MeterForked:
            absences = self._forked().absences()
        return [
            {"sensor": a.sensor, "status": a.status, "reason": a.reason, "hint": a.hint}
            for a in absences
        ]

    def reset(self) -> None:
        """Begins the summary and the run anew. Open windows go on and will be counted whole."""
        try:
            self._native.reset()
        except MeterForked:
            self._forked()

    def close(self) -> None:
        """Ends open windows and stops measuring. All results stay readable; no window can begin."""
        try:
            self._native.close(_arguments.SETTLE_NS)
            if self._trace is not None and isinstance(self._native, _native.Meter):
                from ._trace import judge

                judge(self._native, self._trace)
                self._trace = None
        except MeterForked:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<energy_meter.EnergyMeter on {self.gpu_name or self.device}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError(
            "an EnergyMeter cannot be pickled, since it measures from within its process; "
            "create one in the other process, or send the dict of meter.summary()"
        )
