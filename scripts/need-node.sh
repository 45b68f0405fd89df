#!/bin/sh
# Says what is missing where the front end cannot be bundled: Node.js 20 or later, with npm.
#
# Only a checkout needs it. Wheels and source distributions hold the bundle.
set -eu

if command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1; then
  version="$(node --version)"
  major="${version#v}"
  [ "${major%%.*}" -ge 20 ] && exit 0
  found="node $version is too old"
else
  found='there is no node or no npm on PATH'
fi
echo "Node.js 20 or later with npm is needed to build the JupyterLab extension: $found." >&2
echo "On Debian or Ubuntu: sudo apt-get install nodejs npm" >&2
echo "Elsewhere: install it from nodejs.org or with conda (conda install 'nodejs>=20')" >&2
exit 1
