# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""At most one warning at construction, where CPU or GPU are estimated or missing; no output."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning

if TYPE_CHECKING:
    from tests.python.conftest import Machine, RunPython


def warned(root: str | Path, as_user: bool = False, **options: Any) -> list[str]:
    class Elsewhere(EnergyMeter):
        _root = str(root)
        _as_user = as_user

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        meter = Elsewhere(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with meter.batch():
                pass
            meter.last_batch()
            meter.summary()
        meter.close()
    assert all(one.category is EnergyMeterWarning for one in caught)
    assert all(one.filename == __file__ for one in caught)
    return [str(one.message) for one in caught]


def test_a_measured_machine_warns_of_nothing(machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", 20.0)
    assert warned(machine.root) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("intel-laptop-psys-energy-0400-ls-lr.json", ["energy_uj"]),
        ("rapl-energy-read-eio-and-enodata.json", ["rapl-powercap"]),
        ("container-dangling-powercap-symlinks.json", ["rapl-powercap"]),
        ("intel-rapl-control-type-without-zones.json", ["rapl-powercap"]),
        ("vm-no-powercap-tesla-t4.json", ["rapl-powercap"]),
    ],
)
def test_an_unmeasured_cpu_is_one_warning(machines: Path, name: str, words: list[str]) -> None:
    (text,) = warned(machines / name, as_user=True)
    assert text.startswith(("CPU energy is estimated, not measured", "CPU energy is missing"))
    assert text.endswith("Run `energy-meter sensors` to see what a reading needs.")
    for word in words:
        assert word in text


def test_nothing_at_all_is_one_warning(tmp_path: Path) -> None:
    (text,) = warned(tmp_path)
    assert text.startswith("CPU energy is missing")


@pytest.mark.parametrize("has_stat", [True, False])
def test_a_meter_of_the_whole_platform_is_no_cpu(machine: Machine, has_stat: bool) -> None:
    machine.zone("intel-rapl:0", "psys", 20.0)
    if has_stat:
        machine.cpus(0.5)
    (text,) = warned(machine.root)
    state = "estimated, not measured" if has_stat else "missing"
    reason = "no sensor of this machine measures the CPU packages"
    assert text.startswith(f"CPU energy is {state}: {reason}. Run")


def test_the_logger_of_who_sets_none_up_has_a_handler(run_python: RunPython) -> None:
    program = (
        "import logging\n"
        "from energy_meter import EnergyMeter\n"
        "EnergyMeter()\n"
        "print([type(one).__name__ for one in logging.getLogger('energy_meter').handlers])\n"
    )
    done = run_python(program, "-W", "ignore")
    assert (done.returncode, done.stdout, done.stderr) == (0, "['NullHandler']\n", "")


def test_cpu_and_gpu_share_one_warning(tmp_path: Path) -> None:
    (text,) = warned(tmp_path, device="gpu", gpu_tdp_w=300.0)
    assert "CPU energy is missing" in text
    assert "GPU energy is estimated" in text


def test_half_of_the_cpus(machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", 20.0)
    machine.zone("intel-rapl:0:0", "core", 10.0)
    machine.zone("intel-rapl:1", "package-1", 30.0)
    powercap = machine.root / "sys/class/powercap"
    for part in ("intel-rapl:0:0", "intel-rapl:1"):
        (powercap / part / "energy_uj").write_text("")
    (text,) = warned(machine.root)
    assert text.startswith("CPU energy is missing")
    assert "cpu-1/package" in text
    (powercap / "intel-rapl:1/energy_uj").write_text("1000000")
    assert warned(machine.root) == []


def test_a_gpu_that_is_not_wanted_is_not_warned_of(machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", 20.0)
    board = machine.root / "sys/bus/pci/devices/0000:3b:00.0"
    board.mkdir(parents=True)
    (board / "vendor").write_text("0x10de\n")
    (board / "class").write_text("0x030200\n")
    assert warned(machine.root, device="cpu") == []
    (text,) = warned(machine.root)
    assert text.startswith("GPU energy is estimated")


def test_a_disabled_meter_warns_of_nothing() -> None:
    assert warned("/nowhere", enabled=False) == []


@pytest.mark.parametrize("name", ["LOCAL_RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK"])
def test_other_ranks_do_not_repeat_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    assert warned(tmp_path) == []
    monkeypatch.setenv(name, "0")
    assert len(warned(tmp_path)) == 1


def test_it_can_be_made_an_error(tmp_path: Path) -> None:
    class Elsewhere(EnergyMeter):
        _root = str(tmp_path)

    with warnings.catch_warnings():
        warnings.simplefilter("error", EnergyMeterWarning)
        with pytest.raises(EnergyMeterWarning, match="CPU energy is missing"):
            Elsewhere()
    assert issubclass(EnergyMeterWarning, UserWarning)


def test_the_logger_gets_the_details(machines: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="energy_meter"):
        warned(machines / "intel-xeon-2s-gold-5118.json")
    text = caplog.text
    for word in ("cpu-0/package", "cpu-1/dram", "counted", "nvml"):
        assert word in text
    handlers = logging.getLogger("energy_meter").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]


def test_nothing_is_printed(run_python: RunPython) -> None:
    done = run_python(
        "import logging, warnings\n"
        "from energy_meter import EnergyMeter\n"
        "warnings.simplefilter('ignore')\n"
        "with EnergyMeter(sample_interval=0.01) as meter:\n"
        "    for _ in meter.epochs(range(2)):\n"
        "        for _ in meter.batches(range(2)): pass\n"
        "    meter.summary()\n"
        "EnergyMeter(enabled=False).summary()\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
