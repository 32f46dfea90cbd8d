# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What help, the man page and the completions say: all of it the same, and all of it readable."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., subprocess.CompletedProcess[str]]
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


@pytest.fixture(scope="module")
def options(call: Call) -> dict[str, set[str]]:
    """The options of each command, as its help names them."""
    names = re.findall(r"^  (\w+) ", call("--help").stdout, re.MULTILINE)
    found = {}
    for name in names:
        lines = call(name, "--help").stdout.splitlines()
        heads = [re.split(r"  +", line.strip())[0] for line in lines if line.startswith("  -")]
        found[name] = {word for head in heads for word in OPTION.findall(head)}
    return found


def test_every_command_has_options(options: dict[str, set[str]]) -> None:
    assert len(options) == 9
    assert {"-o", "--output", "--repeat", "-r", "--location"} <= options["run"]
    assert all("--help" in found for found in options.values())


def test_unknown_words_suggest_the_near_one(call: Call, options: dict[str, set[str]]) -> None:
    for name, found in options.items():
        misspelt = name[:-1] + "xy"
        assert f"did you mean {name}?" in call(misspelt).stderr
        for option in found:
            if len(option) > 4:
                done = call(name, f"{option[:-1]}")
                assert done.returncode in (2, 125)
                assert f"did you mean {option}?" in done.stderr or option[:-1] in found


def test_the_man_page_names_every_option(root: Path, options: dict[str, set[str]]) -> None:
    page = (root / "docs" / "energy-meter.1").read_text().replace("\\", "")
    written = set(OPTION.findall(page))
    used = set().union(*options.values()) - {"--help"}
    assert used <= written
    assert written - used <= {"-gpu-", "--", "-stat"}, written - used
    for name in options:
        assert re.search(rf"^\.B {name}", page, re.MULTILINE)


@pytest.mark.parametrize(
    "words",
    [
        ["mandoc", "-T", "lint", "-W", "warning"],
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"],
        ["groff", "-ww", "-man", "-Tutf8", "-z"],
    ],
    ids=["mandoc", "man", "groff"],
)
def test_the_man_page_renders_without_warnings(root: Path, words: list[str]) -> None:
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    page = str(root / "docs" / "energy-meter.1")
    done = subprocess.run([*words, page], capture_output=True, text=True, check=False)
    output = done.stdout if words[0] == "mandoc" else ""
    assert (done.returncode, done.stderr, output) == (0, "", "")


@pytest.mark.parametrize("name", ["energy-meter.bash", "_energy-meter", "energy-meter.fish"])
def test_completions_name_every_option(root: Path, options: dict[str, set[str]], name: str) -> None:
    text = (root / "cli" / "completions" / name).read_text()
    text = re.sub(r"-l ([a-z-]+)", r"--\1", re.sub(r"-s ([a-z])\b", r"-\1", text))
    for command, found in options.items():
        assert re.search(rf"\b{command}\b", text)
        for option in found:
            is_needed = len(option) > 2 or not name.endswith("bash")  # The long form is enough.
            is_there = re.search(rf"(?<![\w-]){option}(?![\w-])", text)
            assert is_there or not is_needed, (command, option)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("energy-meter re", {"record", "report"}),
        ("energy-meter --v", {"--version"}),
        ("energy-meter run --re", {"--repeat"}),
        ("energy-meter run --f", {"--format", "--file"}),
        ("energy-meter watch --re", {"--replay"}),
        ("energy-meter run --format ", {"text", "json", "csv", "model-card", "boamps"}),
        ("energy-meter watch --c", {"--carbon", "--cpu-tdp", "--channels"}),
        ("energy-meter report --f", {"--format", "--from"}),
        (
            "energy-meter doctor --",
            {
                *("--help", "--json", "--root", "--as-user", "--channels", "--file", "--replay"),
                *("--save", "--force"),
            },
        ),
        ("energy-meter run --gpus ", {"visible", "all", "local_rank"}),
    ],
)
def test_bash_completes(root: Path, line: str, expected: set[str]) -> None:
    words = line.split(" ")
    array = " ".join(f"'{word}'" for word in words)
    script = (
        f"source '{root}/cli/completions/energy-meter.bash'\n"
        f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}\n"
        '_energy_meter; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert set(done.stdout.split()) == expected


def test_bash_completes_the_command_that_run_is_given(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a-file-of-ours").write_text("")
    for words in (["run", "-o", "x", "sor"], ["run", "--", "sor"], ["run", "sort", "a-file-o"]):
        array = " ".join(["energy-meter", *words])
        script = (
            f"source '{root}/cli/completions/energy-meter.bash'\n"
            f"COMP_WORDS=({array}); COMP_CWORD={len(words)}\n"
            '_energy_meter; printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert {"sort", "a-file-of-ours"} & set(done.stdout.split()), words


@pytest.mark.parametrize(
    ("shell", "name"), [("zsh", "_energy-meter"), ("fish", "energy-meter.fish")]
)
def test_other_shells_can_read_theirs(root: Path, shell: str, name: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    path = str(root / "cli" / "completions" / name)
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
