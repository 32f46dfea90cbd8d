# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What a process knows of its GPUs and its place among others: environment and loaded modules."""

from __future__ import annotations

import os
import sys


def environment() -> list[str]:
    """What the library looks for its variables in, NVIDIA's GPUs by UUID where torch knows them."""
    found = dict(os.environ)
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


def is_worker() -> bool:
    """Whether multiprocessing has started this process."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None
