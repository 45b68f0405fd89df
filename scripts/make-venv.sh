#!/bin/sh
# Makes the virtual environment .venv with a Python that is new enough, or says what is missing.
#
# PYTHON=/path/to/python chooses one; by default python3, else the newest one on PATH.
set -eu

venv="${1:?which directory}"

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

python=''
for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11 python3.10; do
  if new_enough "$candidate"; then
    python="$candidate"
    break
  fi
  if [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON is not a Python 3.10 or later." >&2
    exit 1
  fi
done
if [ -z "$python" ]; then
  echo "Python 3.10 or later is needed, and there is none on PATH." >&2
  echo "On Debian or Ubuntu: sudo apt-get install python3 python3-venv" >&2
  echo "Elsewhere: install it from python.org, or say which one with make PYTHON=/path/to/python" >&2
  exit 1
fi

# Debian has the standard library's ensurepip in a package of its own.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing python3-venv …"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null
  else
    echo "$python has no ensurepip, which makes virtual environments." >&2
    echo "On Debian or Ubuntu: sudo apt-get install python3-venv" >&2
    exit 1
  fi
fi

if ! "$python" -m venv "$venv"; then
  rm -rf "$venv"  # half an environment would be taken for a whole one
  exit 1
fi
