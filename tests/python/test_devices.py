# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Which GPUs are measured, with stand-ins for NVML (compiled, loaded as the real one) and torch."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, SensorUnavailable

if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter, RunPython

    Play = Callable[..., Any]

H200 = "GPU-8932f937-aaaa-bbbb-cccc-000000000001"
OTHER = "GPU-11111111-aaaa-bbbb-cccc-000000000002"
TWO = f"""
board name="NVIDIA H200" uuid={H200} pci=00000000:3B:00.0 cc=9.0 watts=300 update_ms=20
board name="NVIDIA A10" uuid={OTHER} pci=00000000:5E:00.0 cc=8.6 watts=100 update_ms=20 energy=no
"""
SAME = "".join(
    f'board name="NVIDIA H200" uuid=GPU-{i}0000000-0000-0000-0000-000000000000 '
    f"pci=00000000:{i}1:00.0 cc=9.0 watts={100 * i} update_ms=20\n"
    for i in range(1, 4)
)
VARIABLES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LOCAL_RANK", "SLURM_LOCALID")

PROGRAM = """
import json, os, sys, time, types, warnings
warnings.simplefilter("ignore")
from energy_meter import EnergyMeter
{setup}
try:
    meter = EnergyMeter(sample_interval=0.01, **{options})
except Exception as error:
    print(json.dumps({{"error": type(error).__name__, "text": str(error)}}))
    sys.exit()
with meter.batch() as window:
    time.sleep({seconds})
summary = meter.summary()
print(json.dumps({{
    "device": meter.device, "gpu_name": meter.gpu_name, "old_name": meter._get_gpu_name(),
    "channels": meter.channels, "absent": meter.absent, "batch": window.to_dict(),
    "summary": summary,
}}))
"""


@pytest.fixture
def play(build: Path, tmp_path: Path, run_python: RunPython) -> Play:
    """Measures in another process that finds the stand-in; what it prints, parsed."""
    fakes = build / "tests" / "fakes"
    assert (fakes / "libnvidia-ml.so.1").exists()
    script = tmp_path / "script"

    def run(
        boards: str, setup: str = "", seconds: float = 0.0, env: Any = None, **options: Any
    ) -> Any:
        script.write_text(boards)
        environment = dict.fromkeys(VARIABLES, "") if env is None else {}
        program = "import os\n" + "".join(
            f"os.environ.pop({name!r}, None)\n" for name in VARIABLES if name not in (env or {})
        )
        program += PROGRAM.format(setup=setup, options=repr(options), seconds=seconds)
        environment |= {"LD_LIBRARY_PATH": str(fakes), "EM_FAKE_NVML": str(script), **(env or {})}
        done = run_python(program, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def names(answer: Any) -> list[str]:
    """The boards; the power beside each counter shows the same silicon."""
    assert "channels" in answer, answer
    boards = [
        c for c in answer["channels"] if c["domain"] == "gpu" and not c["name"].endswith("/power")
    ]
    mirrors = [c for c in answer["channels"] if c["name"].endswith("/power")]
    assert all(c["role"] == "mirror" for c in mirrors), mirrors
    return [c["name"] for c in boards]


def test_two_different_boards(play: Play) -> None:
    answer = play(TWO, seconds=1.2)
    assert answer["device"] == "gpu"
    assert answer["gpu_name"] == answer["old_name"] == "NVIDIA H200, NVIDIA A10"
    kinds = {c["name"]: (c["kind"], c["role"], c["source"]) for c in answer["channels"]}
    assert kinds["gpu-0/board"] == ("counter", "counted", f"nvml:{H200}")
    assert kinds["gpu-1/board"] == ("gauge", "counted", f"nvml:{OTHER}")
    batch = answer["batch"]
    seconds = batch["duration_s"]
    channels = batch["channels"]
    assert channels["gpu-0/board"]["provenance"] == "measured"
    assert channels["gpu-1/board"]["provenance"] == "integrated"
    assert channels["gpu-0/board"]["energy_j"] == pytest.approx(300 * seconds, rel=0.03)
    assert channels["gpu-1/board"]["energy_j"] == pytest.approx(100 * seconds, rel=0.03)
    assert batch["gpu_energy_j"] == pytest.approx(400 * seconds, rel=0.03)
    assert batch["complete"]
    devices = {d["channel"]: d for d in answer["summary"]["scope"]["devices"]}
    assert devices["gpu-0/board"]["uuid"] == H200
    assert devices["gpu-0/board"]["name"] == "NVIDIA H200"


def test_other_threads_run_while_a_driver_starts(play: Play) -> None:
    setup = """
import threading
turns = []
def count():
    while True:
        turns.append(time.monotonic())
        time.sleep(0.001)
threading.Thread(target=count, daemon=True).start()
class Timed(EnergyMeter):
    def __init__(self, **options):
        begin = time.monotonic()
        super().__init__(**options)
        end = time.monotonic()
        assert end - begin > 0.25
        assert sum(begin < turn < end for turn in turns) > 20
EnergyMeter = Timed
"""
    answer = play(TWO.replace("update_ms=20", "update_ms=20 slow_us=150000"), setup=setup)
    assert answer.get("text") is None


def test_other_threads_run_while_one_waits_and_reading_results_never_waits(play: Play) -> None:
    setup = """
import threading
turns = []
def count():
    while True:
        turns.append(time.monotonic())
        time.sleep(0.001)
threading.Thread(target=count, daemon=True).start()
class Timed(EnergyMeter):
    def summary(self):
        with self.batch() as window:
            time.sleep(0.5)
        begin = time.monotonic()
        assert not window.final
        assert not self.last_batch()["final"]
        assert time.monotonic() - begin < 0.05
        for wait in (window.wait, lambda: self.last_batch(final=True)):
            begin = time.monotonic()
            assert wait()["final"]
            end = time.monotonic()
            if end - begin > 0.1:
                assert sum(begin < turn < end for turn in turns) > 20
                waited.append(wait)
            with self.batch():
                time.sleep(0.2)
        assert len(waited) == 2
        return super().summary()
waited = []
EnergyMeter = Timed
"""
    answer = play(TWO.replace("update_ms=20", "update_ms=20 slow_us=150000"), setup=setup)
    assert answer.get("text") is None


def test_boards_of_one_model_are_counted_in_the_name(play: Play) -> None:
    assert play(SAME)["gpu_name"] == "3 x NVIDIA H200"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 1, 2]),
        ({"gpus": "all"}, [0, 1, 2]),
        ({"gpus": 1}, [1]),
        ({"gpus": [2, 0]}, [0, 2]),
        ({"gpus": "0,2"}, [0, 2]),
        ({"gpus": "GPU-3"}, [2]),
        ({"gpus": ["GPU-1", "GPU-2"]}, [0, 1]),
        ({"device": "gpu"}, [0, 1, 2]),
        ({"device": "cuda"}, [0, 1, 2]),
        ({"device": "cuda:1"}, [1]),
        ({"device": "cuda:1", "gpus": 1}, [1]),
        ({"device": "cpu"}, []),
    ],
)
def test_choosing_boards(play: Play, options: dict[str, Any], expected: list[int]) -> None:
    answer = play(SAME, **options)
    assert names(answer) == [f"gpu-{i}/board" for i in expected]
    assert answer["device"] == ("gpu" if expected else "cpu")
    assert (answer["gpu_name"] is None) == (not expected)
    assert (answer["batch"]["gpu_energy_j"] is None) == (not expected)


@pytest.mark.parametrize(
    ("env", "options", "expected"),
    [
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, {}, [0, 2]),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, {"gpus": 0}, [2]),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, {"device": "cuda:1"}, [0]),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, {"gpus": "all"}, [0, 1, 2]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-2"}, {}, [1]),
        ({"CUDA_VISIBLE_DEVICES": ""}, {}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, {}, []),
        ({"LOCAL_RANK": "1"}, {"gpus": "local_rank"}, [1]),
        ({"SLURM_LOCALID": "2"}, {"gpus": "local_rank"}, [2]),
        ({"CUDA_VISIBLE_DEVICES": "2,0", "LOCAL_RANK": "1"}, {"gpus": "local_rank"}, [0]),
    ],
)
def test_the_environment(
    play: Play, env: dict[str, str], options: dict[str, Any], expected: list[int]
) -> None:
    assert names(play(SAME, env=env, **options)) == [f"gpu-{i}/board" for i in expected]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gpus": 3}, ["gpus=", "3", "visible", "NVIDIA H200"]),
        ({"gpus": "GPU-9"}, ["gpus", "GPU-9", "NVIDIA H200"]),
        ({"device": "cuda:7"}, ["device=", "cuda:7", "visible", "NVIDIA H200"]),
        ({"gpus": "local_rank"}, ["gpus=", "local_rank", "LOCAL_RANK"]),
    ],
)
def test_boards_that_are_not_there(play: Play, options: dict[str, Any], words: list[str]) -> None:
    answer = play(SAME, **options)
    assert answer["error"] == "InvalidArgument"
    for word in words:
        assert word in answer["text"]


TORCH = """
def torch_device(kind, index):
    torch = sys.modules["torch"] = types.ModuleType("torch")
    class device:
        def __str__(self):
            return kind if index is None else f"{{kind}}:{{index}}"
    device.__module__ = "torch"
    torch.device = device
    return torch
torch = torch_device({kind!r}, {index!r})
torch.version = types.SimpleNamespace(cuda="12.8")
def initialise():
    if not {initialised!r}:
        os._exit(9)
class Cuda:
    def is_initialized(self):
        return {initialised!r}
    def device_count(self):
        initialise()
        return len({uuids!r})
    def get_device_properties(self, index):
        initialise()
        return types.SimpleNamespace(uuid={uuids!r}[index])
torch.cuda = Cuda()
"""


def torch(kind: str, index: int | None, initialised: bool, uuids: list[str]) -> str:
    return TORCH.format(kind=kind, index=index, initialised=initialised, uuids=uuids)


FASTEST_FIRST = [OTHER.removeprefix("GPU-"), H200.removeprefix("GPU-")]


def test_an_initialised_torch_says_which_board_is_which(play: Play) -> None:
    """CUDA counts the fastest first, which nobody else knows; here the second by PCI address."""
    setup = torch("cuda", 0, True, FASTEST_FIRST) + "options = {'device': torch.device()}\n"
    for options, expected in (
        ({"device": "cuda:0"}, 1),
        ({"gpus": 1}, 0),
        ({"device": "cuda:1"}, 0),
    ):
        assert names(play(TWO, setup=setup, **options)) == [f"gpu-{expected}/board"]
    env = {"CUDA_VISIBLE_DEVICES": "0"}
    only = torch("cuda", 0, True, FASTEST_FIRST[:1])
    assert names(play(TWO, setup=only, env=env)) == ["gpu-1/board"]


def test_a_torch_that_is_not_initialised_is_asked_nothing_else(play: Play) -> None:
    setup = torch("cuda", 0, False, FASTEST_FIRST)
    env = {"CUDA_VISIBLE_DEVICES": "0"}
    assert names(play(TWO, setup=setup, env=env)) == ["gpu-0/board", "gpu-1/board"]
    answer = play(TWO, setup=setup, device="cuda:0")
    assert "CUDA_DEVICE_ORDER" in answer["text"]


class FakeTorchDevice:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


FakeTorchDevice.__module__ = "torch"


def test_a_device_of_torch(make: MakeMeter) -> None:
    assert make(device=FakeTorchDevice("cpu")).device == "cpu"
    for wrong in ("mps", "cuda:x", "xpu:0"):
        with pytest.raises(ValueError, match=r"device must be .*torch\.device"):
            make(device=FakeTorchDevice(wrong))
    with pytest.raises(ValueError, match="cuda:9"):
        make(device=FakeTorchDevice("cuda:9"))


def test_a_broken_torch_harms_nothing(make: MakeMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    with make().batch() as window:
        pass
    assert window.duration_s > 0


def test_without_a_gpu(make: MakeMeter, tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "stat").write_text("cpu  10 0 0 10 0 0 0 0 0 0\n")
    for device in ("auto", "cpu"):
        meter = make(tmp_path, device=device, gpu_tdp_w=300.0)
        assert meter.device == "cpu"
        assert meter.gpu_name is None
        assert meter.summary()["gpu_name"] is None
        assert meter.summary()["tdp"]["unused"] == ["gpu_tdp_w"]
    for given in ("gpu", "cuda", FakeTorchDevice("cuda")):
        with pytest.raises(ValueError, match=r"NVML.*PCI.*0x10de.*gpu_tdp_w") as caught:
            make(tmp_path, device=given)
        assert str(caught.value).startswith(f'device="{given}" needs a GPU')


def test_a_gpu_that_only_the_user_knows_is_estimated(
    make: MakeMeter, tmp_path: Path, spend: Callable[[float], None]
) -> None:
    """Without a reading of its use a board takes 0.65 of its limit."""
    meter = make(tmp_path, device="gpu", gpu_tdp_w=300.0)
    assert meter.device == "gpu"
    with meter.batch() as window:
        spend(0.2)
    meter.summary()
    assert window.gpu_energy_j == pytest.approx(300 * 0.65 * window.duration_s, rel=0.02)
    assert window.energy_by_provenance["estimated"] == window.energy_j


@pytest.mark.parametrize(
    ("vendor", "kind", "driver", "counts"),
    [
        ("0x10de", "0x030200", None, True),
        ("0x10de", "0x030000", "nvidia", True),
        ("0x10de", "0x040300", None, False),
        ("0x10de", "0x030000", "nouveau", False),
        ("0x1a03", "0x030000", None, False),
        ("0x8086", "0x030000", None, False),
    ],
)
def test_a_board_on_the_bus_without_a_reading_is_estimated(
    make: MakeMeter,
    tmp_path: Path,
    spend: Callable[[float], None],
    vendor: str,
    kind: str,
    driver: str | None,
    counts: bool,
) -> None:
    board = tmp_path / "sys/bus/pci/devices/0000:3b:00.0"
    board.mkdir(parents=True)
    for name, text in (("vendor", vendor), ("class", kind), ("device", "0x2335")):
        (board / name).write_text(f"{text}\n")
    if driver is not None:
        (tmp_path / "sys/bus/pci/drivers" / driver).mkdir(parents=True)
        (board / "driver").symlink_to(f"../../drivers/{driver}")
    meter = make(tmp_path, gpu_tdp_w=300.0)
    assert meter.device == ("gpu" if counts else "cpu")
    with meter.batch() as window:
        spend(0.1)
    meter.summary()
    if counts:
        assert window.gpu_energy_j == pytest.approx(300 * 0.65 * window.duration_s, rel=0.02)
    else:
        assert window.gpu_energy_j is None


def test_a_board_that_is_lost_half_way(play: Play) -> None:
    answer = play(TWO.replace("cc=9.0", "cc=9.0 lost_s=0.5"), seconds=1.5)
    batch = answer["batch"]
    assert not batch["complete"]
    assert [entry["channel"] for entry in batch["missing"]] == ["gpu-0/board"]
    assert batch["missing"][0]["reason"]
    lost = batch["channels"]["gpu-0/board"]["energy_j"]
    assert 300 * 0.1 <= lost <= 300 * 0.6
    total = sum(channel["energy_j"] for channel in batch["channels"].values())
    assert batch["energy_j"] == pytest.approx(total)
    whole = batch["channels"]["gpu-1/board"]["energy_j"]
    assert whole == pytest.approx(100 * batch["duration_s"], rel=0.05)


def test_channels_are_what_the_command_shows(make: MakeMeter, machines: Path, build: Path) -> None:
    command: list[str | Path] = [
        build / "cli" / "energy-meter",
        "sensors",
        "--json",
        "--as-user",
        "--root",
    ]
    files = sorted(machines.glob("*.json"))
    assert len(files) >= 5
    for file in files:
        done = subprocess.run([*command, file], capture_output=True, text=True, check=True)
        meter = make(file, as_user=True)
        shown = {"schema": 1, "channels": meter.channels, "absent": meter.absent}
        assert shown == json.loads(done.stdout), file.name


@pytest.mark.parametrize(
    ("variables", "gpus", "expected"),
    [
        ({}, "visible", [0, 1, 2, 3]),
        ({"ROCR_VISIBLE_DEVICES": "2,0"}, "visible", [1, 2]),
        ({"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "1"}, "visible", [3]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, "visible", [0]),
        ({"HIP_VISIBLE_DEVICES": "-1"}, "visible", []),
        ({"HIP_VISIBLE_DEVICES": "-1"}, "all", [0, 1, 2, 3]),
        ({"SLURM_LOCALID": "1", "SLURM_STEP_TASKS_PER_NODE": "4"}, "local_rank", [0]),
    ],
)
def test_variables_of_other_makers_reach_the_library(
    make: MakeMeter,
    machines: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    gpus: str,
    expected: list[int],
) -> None:
    """ROCm numbers the second board of the bus 0 on this machine."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    meter = make(machines / "amdgpu-mi300x-4-gpu-metrics-kfd.json", gpus=gpus)
    counted = [c["name"] for c in meter.channels if c["role"] == "counted" and c["domain"] == "gpu"]
    assert counted == [f"gpu-{i}/board" for i in expected]


def test_what_must_be_there(play: Play, make: MakeMeter, tmp_path: Path) -> None:
    assert play(TWO, require=["gpu"])["device"] == "gpu"
    answer = play(TWO.replace("watts=", "power=no energy=no watts="), require=("gpu",))
    assert answer["error"] == "SensorUnavailable"
    for needed in ("cpu", "gpu", "dram"):
        with pytest.raises(RuntimeError, match=needed):
            make(tmp_path, require=[needed])
    with pytest.raises(ValueError, match="require names"):
        EnergyMeter(device="cpu", require={"gpu"})


def test_what_must_be_there_has_a_remedy(make: MakeMeter, machine: Machine, machines: Path) -> None:
    machine.zone("intel-rapl:0", "psys", 20.0)
    for needed in ("cpu", "dram"):
        remedy = rf'energy-meter sensors .*; or leave "{needed}" out of require'
        with pytest.raises(SensorUnavailable, match=rf'^require names "{needed}", .*; {remedy}'):
            make(machine.root, require=[needed])
    # Where a zone is there and cannot be read, its own reason stands there, with its remedy.
    xeon = machines / "intel-xeon-2s-gold-5118.json"
    with pytest.raises(SensorUnavailable, match=r'"dram".*CVE-2020-8694.*chmod a\+r .*energy_uj;'):
        make(xeon, as_user=True, require=["dram"])
    # A remedy that does not fit is not cut in the middle of a command.
    docker = machines / "container-dangling-powercap-symlinks.json"
    with pytest.raises(
        SensorUnavailable,
        match=r'container; start the container with it: docker run .*"cpu" out of',
    ):
        make(docker, require=["cpu"])


@pytest.mark.parametrize(
    ("options", "shown", "remedy"),
    [
        ({"device": "cuda:0"}, 'device="cuda:0" asks for GPU 0', 'device="auto"'),
        ({"gpus": [3]}, "gpus=[3] asks for GPU 3", 'gpus="visible"'),
        ({"gpus": 3}, "gpus=3 asks for GPU 3", 'gpus="visible"'),
        ({"gpus": "0, 1"}, "gpus='0, 1' asks for GPU 0", 'gpus="visible"'),
        ({"gpus": "GPU-1"}, "gpus='GPU-1' names a GPU", 'gpus="visible"'),
        ({"device": "gpu", "gpus": (2,)}, "gpus=(2,) asks for GPU 2", 'gpus="visible"'),
        ({"require": ("gpu",)}, 'require names "gpu"', 'leave "gpu" out'),
    ],
)
def test_a_gpu_that_is_not_there(
    make: MakeMeter, tmp_path: Path, options: dict[str, Any], shown: str, remedy: str
) -> None:
    with pytest.raises((ValueError, SensorUnavailable)) as caught:
        make(tmp_path, **options)
    text = str(caught.value)
    assert text.startswith(shown)
    assert remedy in text
    assert "no GPU of NVIDIA was found, nor of AMD or Intel" in text or "libnvidia-ml" in text


def test_what_is_required_and_there(make: MakeMeter, machines: Path) -> None:
    xeon = machines / "intel-xeon-2s-gold-5118.json"
    meter = make(xeon, require={"cpu", "dram"})
    counted = [c["domain"] for c in meter.channels if c["role"] == "counted"]
    assert counted.count("cpu") == 2
    assert counted.count("dram") == 2
