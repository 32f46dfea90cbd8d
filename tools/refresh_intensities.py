# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Takes newer yearly intensities of countries into data/carbon_intensity.csv.

refresh_intensities.py FILE SOURCE [--write]

FILE is a download of owid-energy-data.csv (github.com/owid/energy-data) or of Ember's
yearly_full_release_long_format.csv (ember-energy.org), both CC BY 4.0; SOURCE is its row in
data/sources.csv, added before. Life-cycle rows alone are touched: states and provinces are of other
publishers. Prints each change, and the large ones again, to be looked at; writes with --write.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import tables

LARGE = 0.15
WORLD_AND_EU = {"World": "WORLD", "European Union (27)": "EU", "EU": "EU"}

Newest = dict[str, tuple[int, float]]


def newest(path: Path) -> Newest:
    """By ISO code of three letters, or WORLD and EU: the last year, and g/kWh in it."""
    found: Newest = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if "carbon_intensity_elec" in row:
                names = (row["country"], row["iso_code"], row["year"], row["carbon_intensity_elec"])
            elif row.get("Variable") == "CO2 intensity":
                names = (row["Area"], row["ISO 3 code"], row["Year"], row["Value"])
            else:
                continue
            area, iso3, year, value = names
            key = WORLD_AND_EU.get(area, iso3)
            if key and value and float(value) > 0 and int(year) > found.get(key, (0, 0.0))[0]:
                found[key] = (int(year), float(value))
    if not found:
        raise tables.TableError(f"{path}: neither owid-energy-data.csv nor Ember's long format")
    return found


def refresh(rows: list[tables.Row], found: Newest, source: str) -> list[str]:
    """Changes rows; what it changed, a line each."""
    known = tables.sources()
    if source not in known or tables.method(known[source]) != "life-cycle":
        raise tables.TableError(f"{source}: sources.csv has no such source that is life-cycle")
    changes = []
    for row in rows:
        key = row["iso3"] if row["code"] not in ("WORLD", "EU") else row["code"]
        is_ours = "-" not in row["code"] and tables.method(known[row["source"]]) == "life-cycle"
        if not is_ours or key not in found:
            continue
        year, value = found[key]
        before = float(row["g_per_kwh"])
        if year < int(row["year"]) or (year == int(row["year"]) and round(value, 2) == before):
            continue
        is_large = abs(value - before) > LARGE * before
        changes.append(
            f"{row['code']}: {before:g} ({row['year']}) -> {value:.2f} ({year})"
            + (" LARGE" if is_large else "")
        )
        row.update(g_per_kwh=f"{round(value, 2):g}", year=str(year), source=source)
    return changes


def main(arguments: list[str]) -> int:
    is_writing = arguments[-1:] == ["--write"]
    if len(arguments) != 2 + is_writing:
        print(__doc__, file=sys.stderr)
        return 2
    rows = tables.read("carbon_intensity.csv")
    try:
        changes = refresh(rows, newest(Path(arguments[0])), arguments[1])
    except (tables.TableError, OSError, KeyError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(changes) or "nothing is newer")
    if is_writing:
        text = io.StringIO()
        columns = tables.HEADS["carbon_intensity.csv"].split(",")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (tables.DATA / "carbon_intensity.csv").write_text(text.getvalue(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
