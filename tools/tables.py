# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The tables of data/: checked, and turned into C for src/data. Standard library only.

tables.py check                     says what is wrong with the tables
tables.py carbon|cpus|gpus OUTPUT   writes one as C
"""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
Row = dict[str, str]
Power = tuple[str, int, int, str]  # key, mW, cores or 0, origin

HEADS = {
    "carbon_intensity.csv": "code,iso3,name,g_per_kwh,year,source",
    "electricitymaps/carbon_intensity_em2025_odbl.csv": "code,iso3,name,g_per_kwh,year,source",
    "places.csv": "code,iso3,name,electricity_of",
    "cloud_regions.csv": "provider,region,location,g_per_kwh,pue,year,source",
    "cpu_tdp.csv": "model,tdp_w,cores,source",
    "gpu_tdp.csv": "vendor,arch,model,tdp_w,driver_names,source,crosscheck,note",
    "gpu_ids.csv": "id,model",
    "sources.csv": "source,basis,scope,licence,attribution,where",
}
# What an MIT-licensed package may hold, with the notices of data/LICENSES.md.
OPEN = (
    "CC BY 4.0",
    "US Government work",
    "Open Government Licence - Canada",
    "Apache-2.0",
    "MIT",
    "facts",
)
WORDS = {"cpu", "processor", "apu", "soc", "mobile"}
MAKERS = {"nvidia", "amd", "intel"}
INVISIBLE = dict.fromkeys((0xAE, 0x2122, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
LONGEST_KEY = 63


class TableError(Exception):
    """What is wrong with the tables, a line each."""


def read(name: str) -> list[Row]:
    text = (DATA / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    if not lines or lines[0] != HEADS[name]:
        raise TableError(f"{name}: the first line is not {HEADS[name]}")
    if "\r" in text or not text.endswith("\n"):
        raise TableError(f"{name}: lines do not end with LF")
    rows = list(csv.DictReader(lines, strict=True))
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise TableError(f"{name}:{number}: not {len(HEADS[name].split(','))} fields")
    return rows


def plain(name: str) -> str:
    """What both kinds of names have in common; src/data/model_name.c does the same."""
    text = name.translate(INVISIBLE).replace("\u00a0", " ")
    text = "".join(c.lower() if c.isascii() else c for c in text)
    text = text.replace("(r)", "").replace("(tm)", "").partition("@")[0]
    return re.sub(r"\([^)]*\)", " ", text)


def cpu_key(name: str) -> str:
    text = plain(name)
    cut = re.search(r" (?:with|w/) radeon| radeon r[0-9]", text)
    words = (text[: cut.start()] if cut else text).split()
    kept: list[str] = []
    for index, word in enumerate(words):
        if re.fullmatch(r"[0-9]+th", word) and words[index + 1 : index + 2] == ["gen"]:
            continue
        if word == "gen" and index > 0 and re.fullmatch(r"[0-9]+th", words[index - 1]):
            continue
        if word not in WORDS and not word.endswith(("-core", "-cores")):
            kept += ["core", "2"] if word == "core2" else [word]
    return " ".join(kept)


def gpu_key(name: str) -> str:
    return " ".join(word for word in plain(name).replace("-", " ").split() if word not in MAKERS)


def number(row: Row, key: str, least: float, most: float) -> float:
    value = float(row[key]) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", row[key]) else float("nan")
    if not least <= value <= most:
        raise TableError(f"{key} is {row[key]!r}, and must be from {least:g} to {most:g}: {row}")
    return value


def sources() -> dict[str, Row]:
    return {row["source"]: row for row in read("sources.csv")}


def unique(name: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise TableError(f"{name}: {key!r} is there twice")
        seen.add(key)


def method(source: Row) -> str:
    word = source["basis"].split()[0]
    if word not in ("life-cycle", "direct"):
        raise TableError(
            f"sources.csv: the basis of {source['source']} is neither life-cycle nor direct"
        )
    return word


# ---------------------------------------------------------------------------------------- carbon


def intensities(name: str = "carbon_intensity.csv") -> list[Row]:
    rows, known = read(name), sources()
    unique(name, (row["code"] for row in rows))
    for row in rows:
        number(row, "g_per_kwh", 0, 2000)
        number(row, "year", 2015, 2100)
        if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]+)*|WORLD", row["code"]):
            raise TableError(f"{name}: {row['code']!r} is no code")
        if row["source"] not in known:
            raise TableError(f"{name}: {row['code']}: unknown source {row['source']!r}")
        method(known[row["source"]])
        if name == "carbon_intensity.csv":
            licence = known[row["source"]]["licence"]
            if not licence.startswith(OPEN) or not row["name"].isascii():
                raise TableError(f"{name}: {row['code']}: {licence!r} may not be built in")
    return rows


def places(codes: Iterable[str]) -> list[Row]:
    rows, codes = read("places.csv"), set(codes)
    unique("places.csv", [*codes, *(row["code"] for row in rows)])
    for row in rows:
        if row["electricity_of"] not in codes:
            raise TableError(f"places.csv: {row['electricity_of']!r} is no zone")
    return rows


def regions(codes: Iterable[str]) -> list[Row]:
    rows, codes, known = read("cloud_regions.csv"), set(codes), sources()
    unique("cloud_regions.csv", (f"{row['provider']}:{row['region']}" for row in rows))
    for row in rows:
        if row["location"] not in codes:
            raise TableError(f"cloud_regions.csv: {row['location']!r} is no zone")
        if not re.fullmatch(r"[a-z0-9-]+", row["provider"] + row["region"]):
            raise TableError(f"cloud_regions.csv: {row['region']!r} is no name")
        if row["pue"]:
            number(row, "pue", 1, 3)
            if pue_source(row) not in known:
                raise TableError(f"cloud_regions.csv: {row['region']}: unknown {row['source']!r}")
    return rows


def pue_source(row: Row) -> str:
    return next((word for word in row["source"].split("; ") if "-pue-" in word), "")


# ---------------------------------------------------------------------------------------- powers


def one_power(name: str, found: Iterable[Power]) -> list[Power]:
    """Sorted by key; a name that stands for different powers stands for none."""
    by_key: dict[str, Power] = {}
    doubtful = set()
    for entry in found:
        before = by_key.setdefault(entry[0], entry)
        if before[1] != entry[1]:
            doubtful.add(entry[0])
    if len(doubtful) > 40:
        raise TableError(f"{name}: {len(doubtful)} names have several powers")
    return [by_key[key] for key in sorted(by_key, key=str.encode) if key not in doubtful]


def cpus() -> list[Power]:
    rows, known = read("cpu_tdp.csv"), sources()
    unique("cpu_tdp.csv", (row["model"] for row in rows))
    found = []
    for row in rows:
        watts = number(row, "tdp_w", 0.5, 600)
        cores = int(number(row, "cores", 1, 512)) if row["cores"] else 0
        source, _, words = row["source"].partition(": ")
        if source not in known:
            raise TableError(f"cpu_tdp.csv: {row['model']}: unknown source {source!r}")
        origin = "estimate" if "estimate" in words else known[source]["attribution"]
        key = cpu_key(row["model"])
        # A name without a number is a family's, which hypervisors show for any of its members.
        if len(key) <= LONGEST_KEY and re.search(r"[0-9]", key):
            found.append((key, round(watts * 1000), cores, origin))
    return one_power("cpu_tdp.csv", found)


def gpus() -> list[Power]:
    rows, known = read("gpu_tdp.csv"), sources()
    unique("gpu_tdp.csv", (row["model"] for row in rows))
    ids = {row["id"]: row["model"] for row in read("gpu_ids.csv")}
    unique("gpu_ids.csv", (row["id"] for row in read("gpu_ids.csv")))
    found, models = [], set()
    for row in rows:
        watts = number(row, "tdp_w", 5, 2000)
        if row["source"] not in known:
            raise TableError(f"gpu_tdp.csv: {row['model']}: unknown source {row['source']!r}")
        if row["vendor"].lower() not in MAKERS or row["note"].startswith("whole "):
            continue
        models.add(row["model"])
        boards = re.match(r"board of ([0-9]+) GPUs", row["note"])
        each_mw = round(watts * 1000 / (int(boards[1]) if boards else 1))
        names = [row["model"], *filter(None, row["driver_names"].split(";"))]
        origin = known[row["source"]]["attribution"]
        found += [(gpu_key(name), each_mw, 0, origin) for name in names]
    for id, model in ids.items():
        if model not in models or not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", id):
            raise TableError(f"gpu_ids.csv: {id!r} {model!r} is not in gpu_tdp.csv")
    return one_power("gpu_tdp.csv", found)


# --------------------------------------------------------------------------------------------- C


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def carbon_c() -> Iterator[str]:
    known = sources()
    rows = sorted(intensities(), key=lambda row: row["code"])
    codes = {row["code"]: index for index, row in enumerate(rows)}
    names = {row["code"]: row["name"] for row in rows}
    yield "const em__intensity em__intensities[] = {"
    for row in rows:
        source = known[row["source"]]
        words = [row["code"], row["name"], source["attribution"], method(source)]
        yield f"    {{{', '.join(map(quoted, words))}, {row['g_per_kwh']}, {row['year']}}},"
    yield "};"
    yield f"const size_t em__intensity_count = {len(rows)};"
    # Codes of two letters, of three, and those that stand for another's electricity.
    found = [(row["code"], row["name"], row["code"]) for row in rows]
    found += [
        (row["iso3"], row["name"], row["code"])
        for row in rows
        if row["iso3"] and "-" not in row["code"]
    ]
    others = places(codes)
    found += [
        (code, row["name"], row["electricity_of"])
        for row in others
        for code in (row["code"], row["iso3"])
        if code
    ]
    unique("carbon_intensity.csv and places.csv", (code for code, _, _ in found))
    clouds = [(f"{row['provider']}:{row['region']}", row) for row in regions(codes)]
    yield "const em__place em__places[] = {"
    every = [(code, quoted(name), of, "0", "NULL") for code, name, of in found]
    for code, row in clouds:
        has_pue = bool(row["pue"])
        pue = row["pue"] if has_pue else "0"
        source_text = quoted(known[pue_source(row)]["attribution"]) if has_pue else "NULL"
        every.append((code, quoted(names[row["location"]]), row["location"], pue, source_text))
    for code, name, of, pue, source_text in sorted(every, key=lambda entry: entry[0].lower()):
        target = f"&em__intensities[{codes[of]}]"
        yield f"    {{{quoted(code)}, {name}, {target}, {pue}, {source_text}}},"
    yield "};"
    yield f"const size_t em__place_count = {len(every)};"


def powers_c(name: str, rows: list[Power]) -> Iterator[str]:
    origins = sorted({row[3] for row in rows})
    # One text instead of an array of pointers, which the loader would have to relocate one by one.
    yield "#if defined(__GNUC__)"
    yield '#pragma GCC diagnostic ignored "-Woverlength-strings"'
    yield "#endif"
    yield "static const char keys[] ="
    for row in rows:
        yield f'    {quoted(row[0])} "\\0"'
    yield "    ;"
    yield f"static const char *const origins[] = {{{', '.join(map(quoted, origins))}}};"
    yield "static const em__power_row rows[] = {"
    at = 0
    for key, power_mw, cores, origin in rows:
        yield f"    {{{at}, {power_mw}, {cores}, {origins.index(origin)}}},"
        at += len(key.encode()) + 1
    yield "};"
    yield f"const em__power_table em__{name}_powers = {{keys, rows, {len(rows)}, origins}};"


def ids_c() -> Iterator[str]:
    rows = sorted(read("gpu_ids.csv"), key=lambda row: row["id"])
    yield "const em__gpu_id em__gpu_ids[] = {"
    for row in rows:
        yield f"    {{{quoted(row['id'])}, {quoted(gpu_key(row['model']))}}},"
    yield "};"
    yield f"const size_t em__gpu_id_count = {len(rows)};"


def write(what: str, output: Path) -> None:
    if what == "carbon":
        lines = carbon_c()
    elif what == "cpus":
        lines = powers_c("cpu", cpus())
    else:
        lines = itertools.chain(powers_c("gpu", gpus()), ids_c())
    head = ["/* Made of data/ by tools/tables.py. */", '#include "data/tables.h"', ""]
    output.write_text("\n".join([*head, *lines, ""]), encoding="utf-8")


def check() -> list[str]:
    """What is wrong, and nothing if all is well."""
    wrong = []
    steps: tuple[Callable[[], object], ...] = (
        lambda: list(carbon_c()),
        cpus,
        gpus,
        lambda: intensities("electricitymaps/carbon_intensity_em2025_odbl.csv"),
        lambda: unique("sources.csv", (row["source"] for row in read("sources.csv"))),
        check_order,
    )
    for what in steps:
        try:
            what()
        except (TableError, OSError, UnicodeDecodeError, csv.Error) as error:
            wrong.append(str(error))
    return wrong


def check_order() -> None:
    """Sorted tables make changes easy to read."""
    orders: dict[str, list[str]] = {
        "cloud_regions.csv": [
            f"{row['provider']} {row['region']}" for row in read("cloud_regions.csv")
        ],
        "gpu_ids.csv": [row["id"] for row in read("gpu_ids.csv")],
        "places.csv": [row["code"] for row in read("places.csv")],
    }
    for name, keys in orders.items():
        if keys != sorted(keys):
            raise TableError(f"{name} is not sorted")


def main(arguments: list[str]) -> int:
    if arguments == ["check"]:
        wrong = check()
        print("\n".join(wrong) or "the tables are well")
        return 1 if wrong else 0
    if len(arguments) == 2 and arguments[0] in ("carbon", "cpus", "gpus"):
        try:
            write(arguments[0], Path(arguments[1]))
        except TableError as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
