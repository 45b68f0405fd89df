#!/bin/sh
# Says what is missing where the front end cannot be bundled: Node.js 20.19 or later, with npm.
#
# Only a checkout needs it. Wheels and source distributions hold the bundle.
set -eu

is_new_enough() { # what Rspack, which bundles, asks for: 20.19 and on, 22.12 and on
  major="${1%%.*}"
  rest="${1#*.}"
  minor="${rest%%.*}"
  case "$major" in
    20) [ "$minor" -ge 19 ] ;;
    22) [ "$minor" -ge 12 ] ;;
    *) [ "$major" -gt 22 ] ;;
  esac
}

if command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1; then
  version="$(node --version)"
  is_new_enough "${version#v}" && exit 0
  found="node $version is too old"
else
  found='there is no node or no npm on PATH'
fi
echo "Node.js 20.19 or later with npm is needed to build the JupyterLab extension: $found." >&2
echo "On Debian 13, Ubuntu 25.04 or later: sudo apt-get install nodejs npm" >&2
echo "Elsewhere: install it from nodejs.org or with conda (conda install 'nodejs>=22')" >&2
exit 1
