# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""EnergyMeter.compare: what it takes, and what it refuses."""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

import pytest

from energy_meter import EnergyMeter, InvalidArgument


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with EnergyMeter() as meter:
            pass
    return dict(meter.summary())


def test_a_run_does_not_differ_from_itself(summary: dict[str, Any]) -> None:
    comparison = EnergyMeter.compare(summary, json.dumps(summary))
    (difference,) = comparison["differences"]
    assert [run["name"] for run in comparison["runs"]] == ["run 1", "run 2"]
    assert difference["difference_j"] == 0
    assert difference["stands"] is False
    assert difference["comparable"] is True
    assert difference["scatter_j"] is None
    assert len(difference["reasons"]) >= 1


def test_several_runs_are_one_side(summary: dict[str, Any]) -> None:
    comparison = EnergyMeter.compare([summary] * 3, [summary, json.dumps(summary).encode()])
    assert [run["count"] for run in comparison["runs"]] == [3, 2]
    assert comparison["runs"][0]["energy_sd_j"] == 0
    assert comparison["differences"][0]["scatter_j"] == 0


def test_other_machines_need_force(summary: dict[str, Any]) -> None:
    other = copy.deepcopy(summary)
    other["scope"]["host"] = "elsewhere"
    with pytest.raises(InvalidArgument, match=r"runs\[1\]: it is of another host .*elsewhere"):
        EnergyMeter.compare(summary, other)
    comparison = EnergyMeter.compare(summary, other, force=True)
    assert comparison["differences"][0]["comparable"] is False


def test_bad_input(summary: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="two runs or more"):
        EnergyMeter.compare(summary)
    with pytest.raises(TypeError, match=r"runs\[1\] is 3"):
        EnergyMeter.compare(summary, 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"runs\[1\] is empty"):
        EnergyMeter.compare(summary, [])
    with pytest.raises(InvalidArgument, match=r"runs\[0\]: .*no JSON"):
        EnergyMeter.compare("{", summary)
    with pytest.raises(InvalidArgument, match=r"runs\[1\]: "):
        EnergyMeter.compare(summary, [summary, {"schema": 2}])
    with pytest.raises((InvalidArgument, TypeError)):
        EnergyMeter.compare(summary, summary, force="yes")  # type: ignore[arg-type]
