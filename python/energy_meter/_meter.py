# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""EnergyMeter: the energy of this machine's CPUs, memory and GPUs while your code runs."""

from __future__ import annotations

from . import _arguments, _native, _sync
from ._errors import InvalidArgument, MeterClosed, MeterForked
from ._loops import Loop
from ._null import DISABLED, ENDED, FORKED, NullMeter
from ._window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from os import PathLike
    from types import TracebackType
    from typing import Any, Never, Self, SupportsFloat, SupportsIndex, TypeVar

    from ._files import File
    from .types import (
        AbsenceInfo,
        CarbonBasis,
        ChannelInfo,
        Comparison,
        Measured,
        MergedSummary,
        MeterFile,
        Rates,
        Summary,
        WindowResult,
    )

    T = TypeVar("T")


def _as_given(text: str, device: str, gpus: str, given: object) -> str:
    """What the library says of its gpus=, in the words of the call."""
    if gpus == device:
        words = text.replace(f'gpus="{gpus}"', f'device="{device}"', 1)
        return words.replace('gpus="visible"', 'device="auto"')
    return text.replace(f'gpus="{gpus}"', f"gpus={_arguments.shown(given)}", 1)


class EnergyMeter:
    """Measures the CPUs, memory and GPUs of this machine, all work on them included.

    sample_interval: seconds between readings while a window is open, from 0.001 to 60.
    cpu_tdp_w, gpu_tdp_w: watts of one CPU or GPU as on its data sheet, for what has no reading. In
        a virtual machine: of the CPUs that it has, data sheet x its CPUs / threads of the CPU.
    carbon_intensity_g_per_kwh: g CO2e/kWh; None: that of the location.
    location: whose electricity: "FR", "US-CA", "aws:eu-west-1", "gcp:...", "azure:..."; None: the
        world average is used, and said to be. It is never guessed.
    pue: power usage effectiveness of the data centre, from 1: carbon and cost are of energy x pue,
        energies stay those of the machine. None: that of the cloud's region, else 1.
    price_per_kwh: what a kWh costs, in a currency of yours; results then have a cost.
    embodied_kg, lifetime_years: kg CO2e that making the machine took, and the years that it is
        used; results then have embodied_g, its share of their time.
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
    files: numbers that outside meters write: [{"path": "/run/wall", "unit": "W"}], units J, kJ, mJ,
        uJ, Wh, kWh (energy so far), W, kW, mW, uW (power now). "domain": "platform" (shown, never
        added), or "cpu", "gpu", "dram" (counted where the machine measures none), "other".
    replay: a trace, whose channels take the place of this machine's and read what they read then.
    trace: a new file to write, from which ``energy_meter.replay`` gives the same summary again.
    windows_file: a new file, .jsonl or .csv, that gets a line for each window once its values are
        final, so that they survive a crash.

    A program that imports logging before finds the sensors and channels in the logger
    "energy_meter", at DEBUG.
    """

    __slots__ = (
        "__weakref__",
        "_begin",
        "_endings",
        "_native",
        "_rates",
        "_run",
        "_trace",
        "_use",
        "_windows",
    )

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
        location: str | None = None,
        pue: SupportsFloat | None = None,
        price_per_kwh: SupportsFloat | None = None,
        embodied_kg: SupportsFloat | None = None,
        lifetime_years: SupportsFloat | None = None,
        windows_file: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        files: Iterable[MeterFile] = (),
        replay: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        **unknown: Never,
    ) -> None:
        if unknown:
            raise _arguments.unknown(unknown)
        interval_ns = _arguments.interval_ns(sample_interval)
        cpu_w = _arguments.tdp_w("cpu_tdp_w", cpu_tdp_w)
        gpu_w = _arguments.tdp_w("gpu_tdp_w", gpu_tdp_w)
        intensity = _arguments.intensity(carbon_intensity_g_per_kwh)
        place = _arguments.location(location)
        factor = _arguments.pue(pue)
        price = _arguments.price(price_per_kwh)
        mass, life = _arguments.making(embodied_kg, lifetime_years)
        where = _arguments.device(device)
        which = _arguments.gpus(gpus)
        needed = _arguments.require(require)
        flags = _native.FLAG_MODEL_DRAM if _arguments.flag("dram_model", dram_model) else 0
        wanted = _arguments.sync(sync)
        limit = _arguments.overhead_limit(overhead_limit)
        self._trace = None if trace is None else _arguments.path("trace", trace)
        patterns = _arguments.channels(channels)
        self._windows = None
        windows_format = _native.FORMAT_JSON
        if windows_file is not None:
            from ._report import list_format

            self._windows = _arguments.path("windows_file", windows_file)
            windows_format = list_format(self._windows)
        written: list[File] = []
        if files != ():
            from ._files import files as judged

            written = judged(files)
        played = None if replay is None else _arguments.path("replay", replay)
        if played is not None and written:
            raise InvalidArgument(
                "replay plays a trace in the place of a machine, and files are given; drop one"
            )
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
        self._rates: Rates = {
            "price_per_kwh": None if price != price else price,
            "embodied_kg": None if mass != mass else mass,
            "lifetime_years": None if life != life else life,
        }
        self._native: _native.Meter | NullMeter
        if not _arguments.flag("enabled", enabled):
            wanted = False
            basis = _native.carbon(location=place, carbon_g_per_kwh=intensity, pue=factor)
            self._native = NullMeter(DISABLED, basis, self._rates)
        else:
            self._native = self._open(
                where,
                which,
                gpus,
                sample_interval_ns=interval_ns,
                overhead_limit=limit,
                cpu_tdp_w=cpu_w,
                gpu_tdp_w=gpu_w,
                require=needed,
                flags=flags,
                channels=patterns,
                carbon_g_per_kwh=intensity,
                location=place,
                pue=factor,
                price_per_kwh=price,
                embodied_kg=mass,
                lifetime_years=life,
                windows_format=windows_format,
                files=written,
                replay_path=played,
            )
        self._use = _sync.Use() if self._native.device == "gpu" else None
        self._endings = _sync.endings(wanted, self._use)
        self._begin = self._native.begin
        self._run = self._begin(_native.KIND_RUN, None, True)
        if isinstance(self._native, _native.Meter):
            from ._notices import announce

            announce(self._native, self._run.result(), has_gpu=where != "cpu", gpus=which)
            if self._trace is not None or self._windows is not None:
                from ._trace import finish_at_exit

                finish_at_exit(self, min(interval_ns, _arguments.SETTLE_NS))

    def _open(
        self,
        device: str,
        gpus: str,
        given: object,
        *,
        flags: int,
        replay_path: str | bytes | None,
        **options: Any,
    ) -> _native.Meter:
        from . import _devices, _notices

        wants_gpu = device not in ("auto", "cpu")
        has_gpu_tdp = options["gpu_tdp_w"] == options["gpu_tdp_w"]
        trace_fd = windows_fd = replay_fd = -1
        try:
            if self._trace is not None:
                from ._trace import create

                trace_fd = create(self._trace)
            if self._windows is not None:
                from ._trace import create

                windows_fd = create(self._windows, "windows_file")
            if replay_path is not None:
                from ._trace import open_to_play

                replay_fd = open_to_play(replay_path)
            native = _native.Meter(
                replay_fd=replay_fd,
                without=_native.DOMAIN_GPU if device == "cpu" else 0,
                flags=flags
                | (_native.FLAG_PRESENT_GPU if wants_gpu and has_gpu_tdp else 0)
                | (_native.FLAG_AS_USER if self._as_user else 0),
                gpus=gpus,
                environment=_devices.environment(),
                root=self._root,
                trace_fd=trace_fd,
                windows_fd=windows_fd,
                **options,
            )
        except BaseException as error:
            from ._trace import discard, told_by_name

            if replay_path is not None and isinstance(error, InvalidArgument):
                error = told_by_name(error, replay_fd, f"replay={_arguments.shown(replay_path)}")
            for path, fd in ((self._trace, trace_fd), (self._windows, windows_fd)):
                if path is not None and fd >= 0:
                    discard(path, fd)
            if isinstance(error, InvalidArgument):
                raise InvalidArgument(_as_given(str(error), device, gpus, given)) from None
            raise error
        finally:
            if replay_fd >= 0:
                from os import close

                close(replay_fd)
        if wants_gpu and native.device != "gpu":
            raise InvalidArgument(_notices.no_gpu(device, native.absences()))
        return native

    def _forked(self) -> NullMeter:
        """What stands in for the parent's meter in a child from now on."""
        if not isinstance(self._native, NullMeter):
            from . import _notices

            self._native = NullMeter(FORKED, self._native.carbon_basis, self._rates)
            self._begin = self._native.begin
            _notices.warn(f"Nothing is measured here: {FORKED}.")
        return self._native

    def batch(self, name: str | None = None, *, items: SupportsIndex | None = None) -> Window:
        """A window around a batch: ``with meter.batch():``. Measures what is inside the block.

        items: how many samples, tokens or requests it holds, of all devices that are measured; or
        set ``items`` of the window any time before its end.
        """
        return self._window(_native.KIND_BATCH, name, items, "batch")

    def epoch(self, name: str | None = None, *, items: SupportsIndex | None = None) -> Window:
        """A window around an epoch: ``with meter.epoch():``. items: as of batch()."""
        return self._window(_native.KIND_EPOCH, name, items, "epoch")

    def window(self, name: str | None = None, *, items: SupportsIndex | None = None) -> Window:
        """A window of your own: ``with meter.window("validation"):``. items: as of batch()."""
        return self._window(_native.KIND_OTHER, name, items, "window")

    def _window(
        self, kind: int, name: str | None, items: SupportsIndex | None, call: str
    ) -> Window:
        if name is not None:
            name = _arguments.window_name(name, call)
        return Window(self, kind, name, None if items is None else _arguments.items(items))

    @property
    def items(self) -> int | None:
        """What the run carries: samples, tokens or requests from construction or reset() to now.

        Setting it gives ``summary()["run"]`` its energy per item; a later value wins.
        """
        return self._run.result().items

    @items.setter
    def items(self, count: SupportsIndex) -> None:
        number = _arguments.items(count)
        try:
            if not self._run.set_items(number):
                raise MeterClosed("the meter is closed; give the items of its run before")
        except MeterForked:
            self._forked()

    def batches(
        self,
        items: Iterable[T],
        name: str | None = None,
        *,
        items_of: Callable[[T], int] | SupportsIndex | None = None,
    ) -> Measured[T]:
        """``for batch in meter.batches(loader):`` measures each turn, its loading included.

        items_of: a function that takes what a turn gives and returns how many samples, tokens or
        requests that is, such as len; or their number, where each turn has the same.
        """
        return self._loop(_native.KIND_BATCH, items, name, "batches", items_of)

    def epochs(
        self,
        items: Iterable[T],
        name: str | None = None,
        *,
        items_of: Callable[[T], int] | SupportsIndex | None = None,
    ) -> Measured[T]:
        """``for epoch in meter.epochs(range(10)):`` measures each turn. items_of: as batches()."""
        return self._loop(_native.KIND_EPOCH, items, name, "epochs", items_of)

    def _loop(
        self, kind: int, items: Iterable[T], name: str | None, call: str, items_of: object
    ) -> Loop:
        if not hasattr(type(items), "__iter__") and not hasattr(type(items), "__getitem__"):
            raise TypeError(
                f"{call}() takes something to iterate over, such as a loader or range(10), "
                f"not {_arguments.shown(items)}"
            )
        if name is not None:
            name = _arguments.window_name(name, call)
        return Loop(self, kind, name, items, _arguments.items_of(items_of))

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
        basis = self._native.carbon_basis
        return None if result is None else to_dict(result, basis, _sync.reason(result, self._use))

    def summary(self) -> Summary:
        """All windows by kind and name, and the run from construction to now; JSON-serialisable.

        Waits until what has ended is final: about one sample interval, never above two seconds.
        """
        import json

        summary: Summary = json.loads(self._report(_native.FORMAT_JSON))
        return summary

    def _report(self, format: int) -> str:
        try:
            return self._native.summary(_arguments.SETTLE_NS, format)
        except MeterForked:
            return self._forked().summary(_arguments.SETTLE_NS, format)

    def report(self, format: str = "text") -> str:
        """The summary as a table ("text"), "json", "csv", "model-card" or "boamps".

        "model-card": the front matter of a Hugging Face model card with co2_eq_emissions, and its
        section on environmental impact. "boamps": a draft of a BoAmps report, whose task only you
        know. Waits as summary() does.
        """
        return self._report(_arguments.report_format(format))

    def save(
        self,
        path: str | bytes | PathLike[str] | PathLike[bytes],
        format: str | None = None,
    ) -> None:
        """Writes report() to a file, whole or not at all; one that is there is replaced.

        format: None takes it from the name: .txt, .json, .csv, or .md for a model card.
        """
        from . import _report

        name = _arguments.path("path", path)
        _report.save(name, self._report(_report.format_of(name, format)))

    @staticmethod
    def merge(summaries: Iterable[Mapping[str, object] | Summary | str | bytes]) -> MergedSummary:
        """One summary of several processes: of what each one's ``summary()`` gave, or its JSON.

        Each device counts once over the union of their time; different hosts add up. Energies of
        windows are None where processes measured the same devices at the same time.
        """
        from ._merge import merge

        return merge(summaries)

    @staticmethod
    def compare(
        *runs: Mapping[str, object] | Summary | str | bytes | Sequence[object], force: bool = False
    ) -> Comparison:
        """Which run used less than the first, by how much, and whether that is more than the doubt.

        Each is what ``summary()`` gave, its JSON, or a list of those of several runs of one
        program. What sensors are off by in both cancels. Runs of different machines or channels
        are refused without force.
        """
        from ._compare import compare

        return compare(runs, force)

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
    def carbon_basis(self) -> CarbonBasis:
        """What carbon is computed with: the intensity, where it is from, and the PUE."""
        return self._native.carbon_basis

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
        if self._use is not None:
            self._use.look()
        try:
            self._close(_arguments.SETTLE_NS)
        except MeterForked:
            return

    def _close(self, timeout_ns: int) -> None:
        self._native.close(timeout_ns)
        if isinstance(self._native, _native.Meter):
            self._judge_files(self._native)

    def _finish(self, timeout_ns: int) -> None:
        """Daemon threads may go on while the interpreter ends; what they begin is not measured."""
        try:
            self._begin = NullMeter(ENDED, self._native.carbon_basis, self._rates).begin
            self._close(timeout_ns)
        except MeterForked:
            return

    def _judge_files(self, native: _native.Meter) -> None:
        trace, self._trace = self._trace, None
        windows, self._windows = self._windows, None
        if trace is None and windows is None:
            return
        from ._trace import judge

        if trace is not None:
            judge(native.trace_status(), trace, "trace")
        if windows is not None:
            judge(native.windows_status(), windows, "windows_file")

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
