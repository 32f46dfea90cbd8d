# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Trains a small network on real handwritten digits under the meter, and shows what that took."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from tqdm import tqdm

from energy_meter import EnergyMeter, EnergyMeterWarning, Window

EPOCHS = 12
BATCH_SIZE = 32


class Batches:
    """The training set in a new order each time, in mini-batches."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.random = np.random.default_rng(7)

    def __len__(self) -> int:
        return -(-len(self.images) // BATCH_SIZE)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = self.random.permutation(len(self.images))
        for begin in range(0, len(order), BATCH_SIZE):
            chosen = order[begin : begin + BATCH_SIZE]
            yield self.images[chosen], self.labels[chosen]


def train(meter: EnergyMeter) -> list[tuple[Window, float]]:
    """Each epoch's window, and the accuracy on digits that were not trained on."""
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images / 16.0, labels, test_size=0.25, random_state=7, stratify=labels
    )
    loader = Batches(train_images, train_labels)
    network = MLPClassifier(hidden_layer_sizes=(1024, 512), random_state=7)
    epochs = []
    with tqdm(
        total=EPOCHS * len(loader), unit="batch", desc="training", ncols=90, mininterval=0.5
    ) as progress:
        for _ in range(EPOCHS):
            with meter.epoch() as epoch:
                for batch_images, batch_labels in meter.batches(loader):
                    network.partial_fit(batch_images, batch_labels, classes=range(10))
                    progress.update()
                with meter.window("validation"):
                    accuracy = float(network.score(test_images, test_labels))
            progress.set_postfix(accuracy=f"{accuracy:.1%}")
            epochs.append((epoch, accuracy))
    return epochs


def show_epochs(epochs: list[tuple[Window, float]]) -> None:
    print("\nepoch   time s   energy J   power W   CO2e mg   accuracy")
    for number, (epoch, accuracy) in enumerate(epochs, start=1):
        result = epoch.to_dict()
        print(
            f"{number:5}{result['duration_s']:9.2f}{result['energy_j']:11.2f}"
            f"{result['avg_power_w']:10.1f}{result['carbon_g'] * 1000:10.3f}{accuracy:11.1%}"
        )


def show_total(meter: EnergyMeter) -> None:
    summary = meter.summary()
    run, batches, basis = summary["run"], summary["batch_summary"], summary["carbon_basis"]
    validation = summary["windows"]["validation"]
    print(
        f"\nThe run: {run['energy_j']:.1f} J in {run['duration_s']:.1f} s "
        f"({run['avg_power_w']:.1f} W), {run['carbon_g'] * 1000:.2f} mg CO2e "
        f"at {basis['g_per_kwh']:g} g/kWh ({basis['source']}, data of {basis['year']})"
    )
    print(
        f"  {summary['num_batches']} batches took {batches['total_energy_j']:.1f} J, "
        f"{batches['mean_energy_j']:.3f} J each; validation {validation['total_energy_j']:.1f} J; "
        f"outside all windows {run['outside_windows_j']:.1f} J"
    )


def show_sources(meter: EnergyMeter) -> None:
    run = meter.summary()["run"]
    parts = run["energy_by_provenance"]
    print(
        f"\nMeasured by counters: {parts['measured']:.1f} J; integrated from sampled power: "
        f"{parts['integrated']:.1f} J; estimated: {parts['estimated']:.1f} J"
    )
    reasons = {channel["name"]: channel["reason"] or "" for channel in meter.channels}
    for name, channel in run["channels"].items():
        how = channel["provenance"]
        if reasons[name]:
            how = reasons[name] if reasons[name].startswith(how) else f"{how}; {reasons[name]}"
        tell(name, f"{channel['energy_j']:.1f} J {how}")
    for missing in run["missing"]:
        tell(missing["channel"], f"missing: {missing['reason']}")
    if meter.absent:
        print("What this machine does not give, and what would change that:")
    for absence in meter.absent:
        tell(absence["sensor"], "; ".join(filter(None, (absence["reason"], absence["hint"]))))


def tell(name: str, sentence: str) -> None:
    print(textwrap.fill(f"  {name:<18}{sentence}", width=100, subsequent_indent=" " * 20))


def main() -> None:
    with warnings.catch_warnings():
        # The end of this program says in more words what the warning would.
        warnings.simplefilter("ignore", EnergyMeterWarning)
        meter = EnergyMeter()
    print(f"Measuring {meter.gpu_name or 'the CPU'} while a network learns to read digits.")
    epochs = train(meter)
    meter.close()  # every figure is final from here on
    show_epochs(epochs)
    show_total(meter)
    show_sources(meter)


if __name__ == "__main__":
    main()
