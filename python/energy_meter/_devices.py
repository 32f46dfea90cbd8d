# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What a process knows of its GPUs and its place among others: environment and loaded modules."""

from __future__ import annotations

import os
import sys

_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "SLURM_LOCALID",
    "SLURM_NTASKS_PER_NODE",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MPI_LOCALRANKID",
    "MPI_LOCALNRANKS",
)
_RANKS = ("LOCAL_RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID")
# Of the same launchers. SLURM has its first only if asked so; the others are lists: "4(x2),3".
_SIZES = (
    ("LOCAL_WORLD_SIZE",),
    ("SLURM_NTASKS_PER_NODE", "SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"),
    ("OMPI_COMM_WORLD_LOCAL_SIZE",),
    ("MPI_LOCALNRANKS",),
)


def environment() -> list[str]:
    """What the library may see of the environment, GPUs by UUID where torch knows them."""
    found = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    uuids = _torch_uuids() if "MIG-" not in found.get("CUDA_VISIBLE_DEVICES", "") else ()
    if uuids:
        found["CUDA_VISIBLE_DEVICES"] = ",".join(uuids)
    return [f"{name}={value}" for name, value in found.items()]


def _torch_uuids() -> list[str]:
    # Only CUDA knows which board it numbers 0. A torch that is not imported, or whose CUDA is not
    # initialised, is left alone: asking more would initialise it.
    torch = sys.modules.get("torch")
    try:
        if torch is None or torch.version.cuda is None or not torch.cuda.is_initialized():
            return []
        count = torch.cuda.device_count()
        uuids = [str(torch.cuda.get_device_properties(i).uuid) for i in range(count)]
    except Exception:
        return []
    return [uuid if uuid.startswith("GPU-") else f"GPU-{uuid}" for uuid in uuids]


def is_first() -> bool:
    """Whether this process speaks for the node: no worker of multiprocessing, no rank but 0."""
    module = sys.modules.get("multiprocessing.process")
    if module is not None and module.parent_process() is not None:
        return False
    ranks = (os.environ[name] for name in _RANKS if os.environ.get(name))
    return next(ranks, "0") == "0"


def place() -> tuple[int, int]:
    """Rank among the processes of this node's job, and how many they are; (0, 1): no launcher."""
    for name, sizes in zip(_RANKS, _SIZES, strict=True):
        rank = os.environ.get(name, "")
        if not rank.isascii() or not rank.isdigit():
            continue
        words = (os.environ.get(size, "").partition("(")[0].partition(",")[0] for size in sizes)
        size = next((word for word in words if word.isascii() and word.isdigit()), "0")
        return int(rank[:9]), int(size[:9])
    return 0, 1
