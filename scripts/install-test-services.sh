#!/usr/bin/env bash
# Install what the tests marked `services` talk to, beyond `pip install '.[services]'`.
#
# Programs come from Debian or Ubuntu. sslyze gets a Python environment of its own, because it holds
# back cryptography. It does nothing where everything is there, and says what is missing where it
# cannot install. The tests start each program themselves, on a free port: none has to run as a
# system service.
#
# PYTHON          the interpreter that makes the environment (python3)
# XDG_CACHE_HOME  where it is kept (~/.cache)
set -euo pipefail

# program=package
wanted=(
  certutil=libnss3-tools # makes Chromium trust the gateway's authority
  chromium=chromium
  dig=bind9-dnsutils
  dnsmasq=dnsmasq-base
  initdb=postgresql
  openssl=openssl
  prometheus=prometheus
  psql=postgresql-client
  redis-cli=redis-tools
  redis-server=redis-server
  socat=socat # puts TLS around a client that has none
  testssl=testssl.sh
  wrk=wrk # the benchmarks
)
apart=(sslyze)
environment="${XDG_CACHE_HOME:-$HOME/.cache}/jupyter-tensorone-proxy/test-services"

refuse() {
  echo "The tests of real services lack: $1" >&2
  exit 1
}

missing_packages() {
  local pair places
  places="$PATH:/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)"
  for pair in "${wanted[@]}"; do
    PATH="$places" command -v "${pair%%=*}" >/dev/null || echo "${pair#*=}"
  done
}

install_packages() {
  local root=()
  command -v apt-get >/dev/null || refuse "$* (there is no apt-get here; install them another way)"
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || refuse "$* (run as root: apt-get install $*)"
    root=(sudo -n)
  fi
  "${root[@]}" apt-get update -qq &&
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends "$@"
}

install_apart() {
  "${PYTHON:-python3}" -m venv "$environment" &&
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "${apart[@]}"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  ("$@") >"$log" 2>&1 || {
    cat "$log" >&2
    refuse "${*:2} (the words above say why)"
  }
}

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
  quietly install_packages "${packages[@]}"
  mapfile -t packages < <(missing_packages)
  [ ${#packages[@]} -eq 0 ] || refuse "${packages[*]} (installed, but not on the PATH)"
fi
for name in "${apart[@]}"; do
  [ -x "$environment/bin/$name" ] || quietly install_apart "${apart[@]}"
done
