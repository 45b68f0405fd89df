#!/usr/bin/env bash
# Install the programs that the tests marked `services` talk to (Debian, Ubuntu).
#
# The Python services come with `pip install '.[services]'`; this is the rest. It does nothing where
# everything is there, and says what is missing where it cannot install. The tests start each
# program themselves, on a free port: none has to run as a system service.
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

missing_packages() {
  local pair PATH="$PATH:/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)"
  for pair in "${wanted[@]}"; do
    command -v "${pair%%=*}" >/dev/null || echo "${pair#*=}"
  done
}

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -eq 0 ]; then
  exit 0
fi

refuse() {
  echo "Missing for the tests of real services: ${packages[*]}." >&2
  echo "$1" >&2
  exit 1
}

command -v apt-get >/dev/null || refuse "There is no apt-get here; install them another way."
run=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || refuse "Run as root: apt-get install ${packages[*]}"
  run=(sudo -n)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${run[@]}" apt-get update -qq &&
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends "${packages[@]}"
}
if ! install >"$log" 2>&1; then
  cat "$log" >&2
  refuse "apt-get could not install them; its words are above."
fi

mapfile -t packages < <(missing_packages)
[ ${#packages[@]} -eq 0 ] || refuse "apt-get installed them, but their programs are not on the PATH."
