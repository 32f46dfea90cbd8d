# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A machine of files that programs take for the real one, mounted over /sys and /proc.

Its NVML is the stand-in of the tests, under the real one's name. Every program that is compared
sees the same machine.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

RANGE_UJ = 262143999938
CPU = "Intel(R) Xeon(R) Platinum 8480+"


class FakeMachine:
    """zones: RAPL packages, one a socket. boards: NVIDIA GPUs, from the stand-in in ``fakes``."""

    def __init__(self, zones: int, boards: int, fakes: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="energy-meter-bench-")
        root = Path(self._folder.name)
        powercap = root / "class" / "powercap"
        control = powercap / "intel-rapl"
        for zone in range(zones):
            folder = control / f"intel-rapl:{zone}"
            put(control / "enabled", "1")
            put(folder / "name", f"package-{zone}")
            put(folder / "max_energy_range_uj", str(RANGE_UJ))
            put(folder / "constraint_0_power_limit_uw", "125000000")
            put(folder / "energy_uj", str(123456789012 + zone))
            (powercap / folder.name).symlink_to(f"intel-rapl/{folder.name}")
        if zones:
            (control / "subsystem").symlink_to("..")
        powercap.mkdir(parents=True, exist_ok=True)
        put(root / "cpuinfo", "\n".join(cpu(number) for number in range(max(zones, 1))))
        script = root / "nvml"
        script.write_text("".join(board(number) for number in range(boards)))
        self._script = (
            f"mount --bind {root}/class /sys/class && mount --bind {root}/cpuinfo /proc/cpuinfo"
        )
        self.environment = dict(os.environ)
        self.environment.pop("CUDA_VISIBLE_DEVICES", None)
        if boards and fakes is not None:
            self.environment["EM_FAKE_NVML"] = str(script)
            self.environment["LD_LIBRARY_PATH"] = str(fakes)

    def command(self, *words: str | Path) -> list[str]:
        """What runs these words on the fake machine."""
        shell = f'{self._script} && exec "$@"'
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        return ["unshare", *user, "--mount", "sh", "-c", shell, "sh", *map(str, words)]

    def run(self, *words: str | Path, timeout_s: float = 600) -> str:
        done = subprocess.run(
            self.command(*words),
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")
        return done.stdout

    def close(self) -> None:
        self._folder.cleanup()


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def cpu(number: int) -> str:
    return (
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
        f"model name\t: {CPU}\nphysical id\t: {number}\ncore id\t\t: 0\n"
    )


def board(number: int) -> str:
    return (
        f'board name="NVIDIA A100-SXM4-80GB" uuid=GPU-0000000{number}-0000-0000-0000-000000000000 '
        f"pci=00000000:{number + 1:02X}:00.0 cc=8.0 wave=square:90:380:900:55 update_ms=20 "
        "gauge_ms=100 average_ms=25 limit=400\n"
    )


def why_not() -> str | None:
    """Why this machine cannot show another one; None where it can."""
    try:
        FakeMachine(1, 0).run("true", timeout_s=10)
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None
