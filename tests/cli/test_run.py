# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""energy-meter run: the command's status, signals, terminal and files are as if nobody measured."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Call = Callable[..., subprocess.CompletedProcess[str]]

PATIENCE_S = 30.0


def test_the_summary_goes_to_stderr_and_the_output_is_the_commands(call: Call) -> None:
    done = call("run", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert done.returncode == 3
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\nRun: ")
    assert "CO2e" in done.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 126"], 126),
        (["sh", "-c", "kill -9 $$"], 137),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["no-such-command-anywhere"], 127),
        (["/"], 126),
        (["--", "true"], 0),
        (["--", "--no-such-command"], 127),
        ([""], 127),
    ],
)
def test_its_status_is_the_commands(call: Call, words: list[str], status: int) -> None:
    assert call("run", "--quiet", *words).returncode == status


def test_a_file_that_is_no_program(call: Call, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    done = call("run", plain)
    assert done.returncode == 126
    assert f"{plain}: Permission denied; give the name" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "no command is given"),
        (["--"], "no command is given"),
        (["--intervall", "1", "true"], "did you mean --interval?"),
        (["--interval", "x", "true"], "--interval 'x': give seconds from 0.001 to 60"),
        (["--interval", "0", "true"], "--interval '0'"),
        (["--interval", "61", "true"], "--interval '61'"),
        (["--interval", "nan", "true"], "--interval 'nan'"),
        (["--interval"], "--interval needs a value"),
        (["--repeat", "0", "true"], "--repeat '0': give a number from 1 to 1000"),
        (["-r", "1.5", "true"], "--repeat '1.5': give a whole number"),
        (["-r", "2", "--trace", "t", "true"], "give one of the two"),
        (["--format", "jsn", "true"], "'jsn' is unknown; did you mean json?"),
        (["--format", "quite-other", "true"], "give text"),
        (["-r", "2", "--format", "boamps", "true"], "give text, json or csv"),
        (["--carbon", "-1", "true"], "--carbon '-1'"),
        (["--location", "FRR", "true"], "--location 'FRR' is not known; the nearest are \"FR\""),
        (["--pue", "0.5", "true"], "--pue '0.5': give a number from 1 to 10"),
        (["--price", "much", "true"], "--price 'much'"),
        (["--embodied", "1000", "true"], "as 1000/4"),
        (["--cpu-tdp", "0", "true"], "--cpu-tdp '0'"),
        (["--gpus", "first", "true"], "--gpus"),
        (["--channels", "+no-such", "true"], "--channels"),
        (["--as-user", "true"], "add --root FILE.json"),
        (["--root", "/no/such/root", "true"], "/no/such/root"),
        (["-o", "/no/such/folder/file", "true"], "-o /no/such/folder/file: No such file"),
        (["-o", "/", "true"], "-o /: Is a directory"),
        (["-o", "", "true"], "-o '': No such file"),
        (["--trace", "/no/such/folder/file", "true"], "--trace /no/such/folder/file: No such"),
        (["--json=yes", "true"], "--json takes no value"),
    ],
)
def test_its_own_failures_end_with_125_before_anything_starts(
    call: Call, tmp_path: Path, arguments: list[str], named: str
) -> None:
    words = [str(tmp_path / "started") if word == "true" else word for word in arguments]
    if words and words[-1] == str(tmp_path / "started"):
        words[-1:] = ["touch", str(tmp_path / "started")]
    done = call("run", *words, cwd=tmp_path)
    assert done.returncode == 125, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("energy-meter run: ")
    assert named in done.stderr
    assert not list(tmp_path.iterdir())


def test_json_goes_where_it_is_told(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("what was there before, and is longer than nothing" * 1000)
    done = call("run", "--json", "-o", path, "echo", "hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    summary = json.loads(path.read_text())
    assert summary["schema"] == 1
    assert summary["run"]["duration_s"] > 0
    assert summary["run"]["final"] is True
    done = call("run", "--json", "--output=-", "echo", "hello")
    first, rest = done.stdout.split("\n", 1)
    assert first == "hello"
    assert json.loads(rest)["schema"] == 1


def test_a_file_stays_as_it_was_where_the_command_cannot_start(call: Call, tmp_path: Path) -> None:
    old, new, trace = tmp_path / "old", tmp_path / "new", tmp_path / "trace"
    old.write_text("kept")
    for path in (old, new):
        done = call("run", "-o", path, "--trace", trace, "no-such-command-anywhere")
        assert done.returncode == 127
    assert old.read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_what_was_measured_goes_to_stderr_where_the_file_does_not_take_it(call: Call) -> None:
    done = call("run", "-o", "/dev/full", "sh", "-c", "exit 4")
    assert done.returncode == 4
    line, rest = done.stderr.split("\n", 1)
    assert line.startswith("energy-meter run: -o /dev/full: No space left on device; ")
    assert rest.startswith("Run: ")
    with open("/dev/full", "wb") as full:
        done = call("run", "--json", "-o", "-", "true", stdout=full)
    line, rest = done.stderr.split("\n", 1)
    assert "stdout: No space left on device" in line
    assert json.loads(rest)["schema"] == 1


def test_a_pipe_that_nobody_reads_is_told_and_the_status_stays(call: Call) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = call("run", "-o", "-", "sh", "-c", "exit 5", stdout=writer)
    os.close(writer)
    assert done.returncode == 5
    assert "stdout: Broken pipe" in done.stderr
    assert "Run: " in done.stderr


def test_a_closed_stdout_is_told_before_anything_starts(command: Path, tmp_path: Path) -> None:
    script = f"'{command}' run -o - touch '{tmp_path}/started' >&-"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "stdout is closed" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_gets_what_a_shell_would_give_it(call: Call) -> None:
    show = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; ls /proc/self/fd; ps -o pgid= -p $$"
    plain = subprocess.run(["sh", "-c", show], capture_output=True, text=True, check=False).stdout
    measured = call("run", "-q", "sh", "-c", show).stdout
    assert measured == plain
    assert f"{os.getpgrp()}" in measured


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(command: Path, number: signal.Signals) -> None:
    """The command counts on to its end; a signal that we get alone reaches it."""
    program = (
        "import signal, sys, time\n"
        "def stop(number, frame):\n    print('got', number, flush=True)\n    sys.exit(7)\n"
        f"signal.signal({int(number)}, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(30)\n"
    )
    words = [str(command), "run", sys.executable, "-c", program]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert out == f"got {int(number)}\n"
    assert process.returncode == 7
    assert "Run: " in err


def test_an_ignored_signal_stays_ignored(command: Path) -> None:
    script = f"trap '' HUP; exec '{command}' run -q grep SigIgn /proc/self/status"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert int(done.stdout.split()[1], 16) & 1


def test_children_that_outlive_the_command_are_named(call: Call) -> None:
    script = (
        "sleep 20 </dev/null >/dev/null 2>&1 & echo $!; "
        "until grep -q sleep /proc/$!/comm; do sleep 0.01; done"
    )
    done = call("run", "sh", "-c", script)
    pid = int(done.stdout)
    try:
        assert f"not measured any more: sleep (pid {pid})" in done.stderr
    finally:
        os.kill(pid, signal.SIGKILL)


def test_children_that_ended_are_not_named(call: Call) -> None:
    done = call("run", "sh", "-c", "(true &) ; sleep 0.05 & wait")
    assert "not measured any more" not in done.stderr


def test_repeat_gives_mean_deviation_and_interval(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    done = call("run", "-r", "3", "--json", "-o", path, "sh", "-c", "echo x; sleep 0.05")
    assert (done.returncode, done.stdout) == (0, "x\n" * 3)
    document = json.loads(path.read_text())
    energies = [run["run"]["energy_j"] for run in document["runs"]]
    spread = document["repeat"]["energy_j"]
    assert document["repeat"]["count"] == len(energies) == 3
    assert spread["mean"] == pytest.approx(statistics.mean(energies), rel=1e-9, abs=1e-12)
    assert spread["sd"] == pytest.approx(statistics.stdev(energies), rel=1e-6, abs=1e-9)
    assert spread["interval_95"] == pytest.approx(4.303 * spread["sd"] / 3**0.5, abs=1e-9)
    text = call("run", "-r", "2", "true").stderr
    assert re.match(r"2 runs +mean +deviation +95 % of means\n", text)


def test_repeat_stops_at_the_first_run_that_fails(call: Call, tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f"echo x >> '{count}'; test $(wc -l < '{count}') -lt 3 || exit 9"
    done = call("run", "-r", "10", "--json", "-o", tmp_path / "o.json", "sh", "-c", script)
    assert done.returncode == 9
    assert count.read_text() == "x\n" * 3
    assert json.loads((tmp_path / "o.json").read_text())["repeat"]["count"] == 3


def test_quiet_says_nothing(call: Call) -> None:
    done = call("run", "-q", "true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_trace_gives_the_same_again(call: Call, tmp_path: Path) -> None:
    trace, result = tmp_path / "run.trace", tmp_path / "run.json"
    call("run", "--trace", trace, "--json", "-o", result, "sleep", "0.2")
    again = call("report", trace, "--json")
    assert again.stderr == ""
    assert json.loads(again.stdout)["run"] == json.loads(result.read_text())["run"]
    done = call("run", "--trace", trace, "true")
    assert done.returncode == 125
    assert "File exists; remove it" in done.stderr


def test_a_full_disk_ends_the_trace_and_nothing_else(call: Call) -> None:
    done = call("run", "--trace", "/dev/full", "sh", "-c", "exit 6")
    assert done.returncode == 6
    assert "--trace /dev/full: " in done.stderr
    assert "No space left on device" in done.stderr
    assert "Run: " in done.stderr


@pytest.mark.parametrize(
    "machine", ["intel-xeon-2s-gold-5118.json", "vm-no-powercap-tesla-t4.json"]
)
def test_on_a_recorded_machine(call: Call, machines: Path, machine: str) -> None:
    done = call("run", "--json", "-o", "-", "--root", machines / machine, "true")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    listed = json.loads(call("sensors", "--json", "--root", machines / machine).stdout)
    counted = {c["name"] for c in listed["channels"] if c["role"] == "counted"}
    assert set(summary["run"]["channels"]) == counted


def test_without_root_rights_a_recorded_machine_is_as_a_user_sees_it(
    call: Call, machines: Path
) -> None:
    root = machines / "intel-laptop-psys-energy-0400-ls-lr.json"
    done = call("run", "--root", root, "--as-user", "true")
    assert done.returncode == 0
    assert "estimated 100.0 %" in done.stderr or "estimated 0.0 %" in done.stderr


# ------------------------------------------------------------------------------------ the terminal


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self) -> None:
        self.text = ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.environ["PS1"] = "$ "
            os.environ["TERM"] = "dumb"
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.pid = pid

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def expect(self, pattern: str) -> re.Match[str]:
        """Reads on until it is there; what was read up to its end is done with."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end() :]
                return found
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")
        raise AssertionError(f"{pattern!r} did not come: {self.text!r}")

    def close(self) -> None:
        os.close(self.terminal)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def shell() -> Iterator[Shell]:
    one = Shell()
    yield one
    one.close()


def test_ctrl_c_reaches_the_command_once_and_the_result_is_shown(
    shell: Shell, command: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    # Each one as the kernel sends it; what we would send ourselves has another code (SI_USER, 0).
    program.write_text(
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "for i in range(6):\n"
        "    print('re' + f'ady{i}', flush=True)\n"
        "    codes = [signal.sigwaitinfo([signal.SIGINT]).si_code]\n"
        "    more = signal.sigtimedwait([signal.SIGINT], 0.1)\n"
        "    print('codes', *codes, *([more.si_code] if more else []), 'end', flush=True)\n"
    )
    shell.type(f"'{command}' run {sys.executable} {program}; echo status=$?\n")
    for i in range(6):
        shell.expect(f"ready{i}\r\n")
        shell.type("\x03")
        assert shell.expect(r"codes (.*) end\r\n")[1] == "128"
    shell.expect("Run: ")
    shell.expect("status=0\r\n")


def test_ctrl_c_ends_a_command_that_does_not_handle_it(shell: Shell, command: Path) -> None:
    shell.type(f"'{command}' run sh -c 'echo re''ady; exec sleep 30'; echo status=$?\n")
    shell.expect("ready\r\n")
    shell.type("\x03")
    shell.expect("Run: ")
    shell.expect("status=130\r\n")


def test_ctrl_z_stops_the_job_and_fg_goes_on(shell: Shell, command: Path) -> None:
    shell.type(f"'{command}' run sh -c 'echo re''ady; read line; echo \"got $line\"'\n")
    shell.expect("ready\r\n")
    shell.type("\x1a")
    shell.expect(r"Stopped")
    shell.type("echo still''here\n")
    shell.expect("stillhere\r\n")
    shell.type("fg\n")
    shell.expect("run sh -c")
    shell.type("this\n")
    shell.expect("got this\r\n")
    shell.expect("Run: ")


def test_a_job_in_the_background_that_reads_is_stopped(shell: Shell, command: Path) -> None:
    shell.type(f"'{command}' run sh -c 'read line; echo \"got $line\"' &\n")
    shell.expect(r"\[1\] \d+")
    shell.type("until jobs -s | grep -q run; do sleep 0.1; done; echo sto''pped\n")
    shell.expect("stopped\r\n")
    shell.type("fg\n")
    shell.expect("run sh -c")
    shell.type("that\n")
    shell.expect("got that\r\n")
    shell.expect("Run: ")


def test_stdin_and_the_terminal_are_the_commands(shell: Shell, command: Path) -> None:
    shell.type(f"'{command}' run -q sh -c 'tty; stty size >/dev/null && echo terminal=yes'\n")
    shell.expect(r"/dev/pts/\d+\r\n")
    shell.expect("terminal=yes\r\n")
    shell.type(f"echo piped | '{command}' run -q tr a-z A-Z\n")
    shell.expect("PIPED\r\n")
