# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Runs every check in order, shows what failed, and ends with one line that counts them all."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
TORCH = "torch==2.13.0"
PYTHON_FOLDERS = ("python", "tests", "tools", "examples", "bench")
C_FOLDERS = ("include", "src", "cli", "examples", "python", "tests", "bench")

# Nobody debugs the programs of a plain build. Sanitizers want lines, and cost most at -O2; at -O1
# gcc sees less of where values come from, and warns in vain.
PLAIN = "-Ddebug=false"
SANITIZED = ("-Db_lundef=false", "-Doptimization=1", "-Dc_args=-Wno-maybe-uninitialized")
ANALYZE_LESS = ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=75000")

Command = Sequence[str | Path]


class Tally:
    """What has run so far. A step is one check, or as many as the report that it wrote names.

    Steps may run in several threads.
    """

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self._lock = threading.Lock()

    def run(
        self,
        name: str,
        command: Command,
        *,
        report: Path | None = None,
        environment: Mapping[str, str] | None = None,
        words: Sequence[Path] | None = None,
        stream: bool = False,
    ) -> bool:
        """Runs one step; its output is shown if it fails, or at once with stream."""
        if report is not None:
            report.unlink(missing_ok=True)
        started = time.monotonic()
        done = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            input=None if words is None else "\0".join(map(str, words)),
            stdout=None if stream else subprocess.PIPE,
            stderr=None if stream else subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        passed, failed, skipped = count(report) if report is not None else (0, 0, 0)
        if report is None:
            passed = int(done.returncode == 0)
        if done.returncode != 0 and failed == 0:
            failed = 1
        counts = f"{passed} passed, {failed} failed, {skipped} skipped"
        word = "failed" if failed else "ok"
        with self._lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped
            print(f"{name}: {word} ({counts}, {time.monotonic() - started:.0f} s)", flush=True)
            if failed and done.stdout:
                print(done.stdout, flush=True)
        return failed == 0

    def skip(self, name: str, reason: str) -> None:
        with self._lock:
            self.skipped += 1
            print(f"{name}: skipped ({reason})", flush=True)

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed + self.skipped else 0


def count(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped of a JUnit report by Meson or pytest; nothing if there is none."""
    if not report.exists():
        return 0, 0, 0
    failed = skipped = total = 0
    for case in ElementTree.parse(report).iter("testcase"):
        total += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
    return total - failed - skipped, failed, skipped


def sources(folders: Sequence[str], *suffixes: str) -> list[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in found if path.suffix in suffixes and path.is_file())


def configure(tally: Tally, name: str, *options: str, compiler: str | None = None) -> Path | None:
    folder = BUILD / name
    command: list[str | Path] = ["meson", "setup", folder, "--werror", *options]
    if (folder / "build.ninja").exists():
        command.append("--reconfigure")
    environment = {"CC": compiler} if compiler else None
    return folder if tally.run(f"{name}: configure", command, environment=environment) else None


def build(tally: Tally, name: str, *options: str, compiler: str | None = None) -> Path | None:
    """One configuration of the C part, with warnings as errors."""
    folder = configure(tally, name, *options, compiler=compiler)
    if folder is None or not tally.run(f"{name}: build", ["ninja", "--quiet", "-C", folder]):
        return None
    return folder


def run_tests(tally: Tally, folder: Path, wrapper: str | None = None) -> None:
    """All C tests of a configuration."""
    command = ["meson", "test", "-C", str(folder), "--no-rebuild", "--quiet"]
    command += ["--no-suite", "hardware"]
    if wrapper:
        command += ["--wrap", wrapper]
    logs = folder / "meson-logs"
    if not tally.run(f"{folder.name}: tests", command, report=logs / "testlog.junit.xml"):
        show_failures(logs / "testlog.json")


def build_and_test(
    tally: Tally,
    name: str,
    *options: str,
    compiler: str | None = None,
    wrapper: str | None = None,
) -> None:
    folder = build(tally, name, *options, compiler=compiler)
    if folder is not None:
        run_tests(tally, folder, wrapper)


def show_failures(log: Path) -> None:
    """What the tests that failed said, but for what they found right."""
    for test in map(json.loads, log.read_text(errors="replace").splitlines()):
        if test["result"] not in ("OK", "SKIP"):
            told = [line for line in test.get("stdout", "").splitlines() if line[:3] != "ok "]
            print(f"{test['name']}: {test['result']}", *told, test.get("stderr", ""), sep="\n")


def runs_with(flags: Sequence[str], *wrapper: str) -> bool:
    """Whether this machine's compiler has a sanitizer, and its kernel lets it start."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "probe")
        compiled = subprocess.run(
            [os.environ.get("CC", "cc"), "-x", "c", "-", *flags, "-o", program],
            input="int main(void) { return 0; }",
            text=True,
            capture_output=True,
            check=False,
        )
        if compiled.returncode != 0:
            return False
        return subprocess.run([*wrapper, program], capture_output=True, check=False).returncode == 0


def check_sanitizers(tally: Tally) -> None:
    memory = "-fsanitize=address,undefined"
    if runs_with([memory]):
        build_and_test(tally, "asan", "-Db_sanitize=address,undefined", *SANITIZED)
    else:
        tally.skip("asan", f"the compiler cannot build with {memory}")

    # Kernels that spread addresses widely leave older runtimes no room; then they are fixed.
    fixed = ["setarch", platform.machine(), "-R"]
    wrapper = None
    if not runs_with(["-fsanitize=thread"]):
        if not shutil.which("setarch") or not runs_with(["-fsanitize=thread"], *fixed):
            tally.skip("tsan", "a program built with -fsanitize=thread does not start here")
            return
        wrapper = " ".join(fixed)
    build_and_test(tally, "tsan", "-Db_sanitize=thread", *SANITIZED, wrapper=wrapper)


def check_c(tally: Tally) -> None:
    if shutil.which("clang"):
        build_and_test(tally, "clang", PLAIN, compiler="clang")
    else:
        tally.skip("clang", "clang is not installed; apt-get install clang adds this part")
    check_sanitizers(tally)


def install_package(tally: Tally, python: str | Path = sys.executable) -> bool:
    options = ["--no-build-isolation", "--no-deps", "--force-reinstall"]
    chosen = (f"build-dir={BUILD / 'package'}", "setup-args=--werror")
    settings = [f"--config-settings={setting}" for setting in chosen]
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "install"]
    return tally.run("package: install", [*pip, "--quiet", *options, *settings, ROOT])


def check_python(tally: Tally) -> None:
    report = BUILD / "pytest.xml"
    tally.run(
        "pytest",
        [sys.executable, "-m", "pytest", "-q", "--ignore=tests/torch", f"--junit-xml={report}"],
        report=report,
        environment={"EM_BUILD_DIR": str(BUILD / "gcc"), "EM_SOURCE_DIR": str(ROOT)},
    )


def lint_python(tally: Tally) -> None:
    tally.run("ruff", ["ruff", "check", *PYTHON_FOLDERS])
    tally.run("ruff format", ["ruff", "format", "--check", *PYTHON_FOLDERS])
    tally.run("mypy", [sys.executable, "-m", "mypy"])
    tally.run("tables", [sys.executable, "tools/tables.py", "check"])


def lint_c(tally: Tally, *, is_thorough: bool) -> None:
    """Unless it is thorough, clang's analyzer follows fewer paths: that is where the time goes."""
    c_files = sources(C_FOLDERS, ".c", ".h")
    tally.run(
        "clang-format", ["clang-format", "--dry-run", "--Werror", "--ferror-limit=1", *c_files]
    )
    folder = configure(tally, "lint", "-Dpython=true")
    if folder is None:
        return
    database = (folder / "compile_commands.json").read_text()
    compiled = [p for p in c_files if p.suffix == ".c" and str(p.relative_to(ROOT)) in database]
    tidy: list[str | Path] = ["clang-tidy", "--quiet", "-p", folder]
    if not is_thorough:
        tidy += [f"--extra-arg={word}" for word in ANALYZE_LESS]
    parallel = ["xargs", "-0", "-n", "4", "-P", str(os.cpu_count() or 1)]
    tally.run("clang-tidy", [*parallel, *tidy], words=compiled)


def lint(tally: Tally) -> None:
    lint_python(tally)
    lint_c(tally, is_thorough=True)


def check(tally: Tally) -> None:
    """The Python tests wait more than they compute, and so run beside what compiles."""
    lint_python(tally)
    gcc = build(tally, "gcc", PLAIN, compiler="gcc" if shutil.which("gcc") else None)
    beside = threading.Thread(target=check_python, args=(tally,))
    if install_package(tally):
        tally.run("stubtest", [sys.executable, "-m", "mypy.stubtest", "energy_meter._native"])
        beside.start()
    # Linux lowers the priority of the calling thread alone, and of what it starts.
    os.nice(10)
    if gcc is not None:
        run_tests(tally, gcc)
    lint_c(tally, is_thorough=False)
    check_c(tally)
    if beside.ident is not None:
        beside.join()


def check_torch(tally: Tally) -> None:
    """The tests that need real torch, in an environment of their own."""
    environment = BUILD / "torch-venv"
    python = environment / "bin" / "python"
    if not python.exists():
        base = os.environ.get("PYTHON", sys.executable)
        subprocess.run([base, "-m", "venv", environment], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    needed = [line for line in (ROOT / "requirements-dev.txt").read_text().split() if "==" in line]
    tools = [line for line in needed if line.startswith(("meson", "ninja", "numpy", "pytest"))]
    installed = subprocess.run([*pip, TORCH, *tools], check=False, cwd=ROOT)
    if installed.returncode != 0:
        tally.skip("torch", f"{TORCH} cannot be installed here")
        return
    path = {"PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    options = ["--no-build-isolation", "--no-deps", "--force-reinstall", str(ROOT)]
    if not tally.run("package: install", [*pip, *options], environment=path):
        return
    report = BUILD / "torch.xml"
    command: Command = [python, "-m", "pytest", "-q", "tests/torch", f"--junit-xml={report}"]
    tally.run("torch", command, report=report, environment=path)


def reformat(tally: Tally) -> None:
    tally.run("clang-format", ["clang-format", "-i", *sources(C_FOLDERS, ".c", ".h")])
    tally.run("ruff", ["ruff", "check", "--fix-only", "--quiet", *PYTHON_FOLDERS])
    tally.run("ruff format", ["ruff", "format", "--quiet", *PYTHON_FOLDERS])


def fuzz(tally: Tally) -> None:
    """A minute of search from each kept corpus; new inputs stay in build/fuzz/corpus."""
    if not shutil.which("clang"):
        tally.skip("fuzz", "clang is not installed; apt-get install clang adds this part")
        return
    sanitize = "-Db_sanitize=address,undefined"
    folder = configure(tally, "fuzz", "-Dfuzz=true", sanitize, "-Db_lundef=false", compiler="clang")
    if folder is None or not tally.run("fuzz: build", ["ninja", "--quiet", "-C", folder]):
        return
    seconds = os.environ.get("FUZZ_SECONDS", "60")
    for program in sorted((folder / "tests").glob("fuzz-*")):
        if not program.is_file():
            continue
        name = program.name.removeprefix("fuzz-")
        found = folder / "corpus" / name
        found.mkdir(parents=True, exist_ok=True)
        kept = ROOT / "tests" / "fuzz" / "corpus" / name
        seeds = [kept] if kept.exists() else []
        limits = [f"-max_total_time={seconds}", "-timeout=10", f"-artifact_prefix={folder}/{name}-"]
        tally.run(f"fuzz {name}", [program, found, *seeds, *limits])


def hardware(tally: Tally) -> None:
    folder = configure(tally, "gcc", compiler="gcc" if shutil.which("gcc") else None)
    if folder is None or not tally.run("gcc: build", ["ninja", "--quiet", "-C", folder]):
        return
    report = folder / "meson-logs" / "testlog.junit.xml"
    command = [
        "meson",
        "test",
        "-C",
        str(folder),
        "--no-rebuild",
        "--suite",
        "hardware",
        "--verbose",
    ]
    tally.run("hardware", command, report=report, stream=True)


COMMANDS: dict[str, Callable[[Tally], None]] = {
    "check": check,
    "check-torch": check_torch,
    "lint": lint,
    "format": reformat,
    "fuzz": fuzz,
    "hardware": hardware,
}


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: check.py {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    tools = Path(sys.executable).parent
    os.environ["PATH"] = f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    tally = Tally()
    COMMANDS[arguments[0]](tally)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
