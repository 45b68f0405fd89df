#!/bin/sh
# Installs the programs that some tests run for real: a browser, databases, a name server.
#
# As root on Debian or Ubuntu it installs what is missing, and starts nothing. Elsewhere it says
# what is missing and how to get it, and succeeds: tests that need it say so themselves.
set -eu

# What a test starts, and the Debian package that has it.
programs='
chromium      chromium
certutil      libnss3-tools
redis-server  redis-server
postgres      postgresql
psql          postgresql-client
dnsmasq       dnsmasq-base
dig           bind9-dnsutils
prometheus    prometheus
wrk           wrk
'

PATH="$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"
missing=''
packages=''
while read -r program package; do
  if [ -n "$program" ] && ! command -v "$program" >/dev/null 2>&1; then
    missing="$missing $program"
    packages="$packages $package"
  fi
done <<END
$programs
END

if [ -z "$missing" ]; then
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing for some tests:$missing." >&2
  echo "They are Debian's packages$packages; install them with your system's package manager." >&2
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "Missing for some tests:$missing." >&2
  echo "Install them with: sudo sh scripts/install-test-services.sh" >&2
  exit 0
fi

echo "Installing$packages …"
# Debian starts every server that it installs. The tests start their own, on free ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
fi
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages >/dev/null
