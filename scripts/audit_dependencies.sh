#!/usr/bin/env bash
# Usage: scripts/audit_dependencies.sh          (make audit-dependencies calls it)
#
# Ask the advisory database of PyPI whether a version in requirements.lock is known to be
# vulnerable. Exit status: 0 none is; 1 one is, and is named above; 2 it could not be asked.
# pip-audit is installed apart from the project, whose packages it is to judge.
#   PYTHON=python3.12     the interpreter to use
#   LOCK=other.lock       another file of exact versions
set -uo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
lock=${LOCK:-requirements.lock}
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT

not_asked() { printf 'audit-dependencies: not checked: %s\n' "$*" >&2; exit 2; }

[ -f "$lock" ] || not_asked "$lock does not exist. Make it with: make lock"
"$python" -m venv "$venv" || not_asked "$python makes no virtual environment."
"$venv/bin/python" -m pip --disable-pip-version-check install --quiet pip-audit ||
    not_asked "pip-audit could not be installed (no network?). Repeat this where PyPI is reached."

# The versions are exact, so nothing is resolved or built; --strict: a package that the database
# does not know is not taken for a safe one.
said=$("$venv/bin/pip-audit" --requirement "$lock" --no-deps --disable-pip --strict \
    --progress-spinner off 2>&1)
status=$?
printf '%s\n' "$said"
[ "$status" -eq 0 ] && exit 0
if grep -qE 'Found [0-9]+ known vulnerabilit' <<<"$said"; then
    echo "audit-dependencies: take the fixed versions (make lock), or write in docs/releasing.md" \
        "why they do not matter here." >&2
    exit 1
fi
not_asked "the database could not be asked. Repeat this where PyPI itself is reached."
