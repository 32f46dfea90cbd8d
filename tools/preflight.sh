#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
# Says in one sentence what a build would miss on this machine. The argument is the Python to build for.
set -u
python=${1:-python3}

miss() {
    echo "energy-meter: $1" >&2
    exit 1
}

[ "$(uname -s)" = Linux ] || miss "it reads the power sensors of the Linux kernel and runs on Linux only, not on $(uname -s)."
command -v "$python" >/dev/null 2>&1 || miss "$python is missing; install it (Debian, Ubuntu: apt-get install python3 python3-venv python3-dev)."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    miss "$("$python" -V) is too old, it needs 3.11 or newer; name another one: make PYTHON=python3.12."
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    miss "$python has no venv module; install it (Debian, Ubuntu: apt-get install python3-venv)."
command -v "${CC:-cc}" >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 ||
    miss "no C compiler was found; install gcc (Debian, Ubuntu: apt-get install gcc libc6-dev)."
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    miss "the C headers of $python are missing; install them (Debian, Ubuntu: apt-get install python3-dev)."
