#!/usr/bin/env bash
# Usage: scripts/setup.sh          (make setup calls it)
#
# Make .venv and install the pinned packages and this project into it. A .venv that was
# finished is kept and brought up to date; one that was interrupted is made again.
#   PYTHON=python3.12    the interpreter to use
#   TORCH=cpu            torch without CUDA (200 MB instead of 5 GB)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv=.venv
done_file=$venv/installed
torch_index=https://download.pytorch.org/whl/cpu

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null ||
    die "$python was not found. Install it (Debian, Ubuntu: sudo apt install python3 python3-venv), or name another: make setup PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "$("$python" --version) is too old; 3.11 or newer is needed. Name a newer one: make setup PYTHON=python3.11"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    die "$python has no venv module that brings pip. Install it (Debian, Ubuntu: sudo apt install $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')), then repeat the command."

# Two at once would clear what the other installs. The lock is on this file, which is there.
if command -v flock >/dev/null; then
    exec 9<scripts/setup.sh
    flock -n 9 || { echo "Another installation into $venv is at work; waiting until it ends."; flock 9; }
fi

want=$(cat requirements.lock pyproject.toml | cksum)" ${TORCH:-default}"
# A Python that was moved or removed leaves an environment that does not run.
"$venv/bin/python" -c '' 2>/dev/null || rm -f "$done_file"
if [ -f "$done_file" ] && [ "$(cat "$done_file")" = "$want" ]; then
    exit 0
fi

echo "Installing into $venv; this takes a few minutes the first time."
clear=
[ -f "$done_file" ] || clear=--clear
rm -f "$done_file"
"$python" -m venv $clear "$venv"

# A user's settings may name another place to install to, which a virtual environment refuses or
# does not see; a mirror that they name is taken.
pip() {
    env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT PIP_USER=0 \
        "$venv/bin/python" -m pip --disable-pip-version-check "$@"
}
if [ "${TORCH:-}" = cpu ]; then
    pip install --quiet torch==2.14.1 torchvision==0.29.1 --index-url "$torch_index"
fi
# torch without CUDA needs none of its libraries.
lock=requirements.lock
if [ "${TORCH:-}" = cpu ]; then
    lock=$venv/cpu.lock
    awk '/^[a-z]/ { kept = !/^(nvidia-|cuda-|triton)/ || /^nvidia-ml-py/ } kept' requirements.lock >"$lock"
fi
# What `make lock` resolved for; others take what the ranges in pyproject.toml allow.
if "$venv/bin/python" -c 'import platform, sys
locked = {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")}
sys.exit(sys.version_info >= (3, 14) or (sys.platform, platform.machine()) not in locked)'; then
    pip install --quiet --no-deps --require-hashes -r "$lock"
    pip install --quiet --no-build-isolation --no-deps -e .
else
    echo "No lock for this Python and machine: installing what pyproject.toml allows."
    pip install --quiet -e '.[dev]'
fi
printf '%s' "$want" >"$done_file"
