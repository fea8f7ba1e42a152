#!/bin/sh
# Installs what building haul needs (and, with "tests", what testing it needs; with
# "judges", what the clients in other languages need that judge the test servers), on
# Debian and Ubuntu. Prints each command before it runs it. Nothing is done that
# is done already.
set -eu
build="gcc make meson ninja-build pkg-config libzstd-dev libsnappy-dev liblz4-dev zlib1g-dev libdeflate-dev
libbrotli-dev libxxhash-dev libjansson-dev libexpat1-dev libsqlite3-dev sqlite3 libpq-dev libmariadb-dev libssl-dev libkrb5-dev libcmocka-dev"
tests="python3 python3-venv python3-dev strace git binutils time clang libclang-rt-dev openssl postgresql mariadb-server freetds-bin"
judges="krb5-kdc krb5-admin-server krb5-user"
wanted=$build
[ "${1:-}" = tests ] && wanted="$build $tests"
if [ "${1:-}" = judges ]; then
    wanted=$judges
    command -v javac >/dev/null || wanted="$wanted default-jdk-headless"
    command -v mvn >/dev/null || wanted="$wanted maven"
    command -v go >/dev/null || wanted="$wanted golang-go"
fi

say() { printf '+ %s\n' "$*"; "$@"; }

missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "setup: needs root or sudo to install:$missing" >&2; exit 1; }
        root=sudo
    fi
    say $root apt-get update -qq
    # shellcheck disable=SC2086
    say $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

if [ "${1:-}" = tests ]; then
    # The Python packages of the tests live in a folder named by their list.
    here=$(cd "$(dirname "$0")/.." && pwd)
    key=$(cksum < "$here/tests/requirements.txt" | cut -d' ' -f1)
    cache=${HAUL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/haul}
    venv="$cache/venv-$key"
    if [ ! -x "$venv/bin/pytest" ]; then
        say mkdir -p "$cache"
        say python3 -m venv "$venv"
        say "$venv/bin/pip" install -q --disable-pip-version-check -r "$here/tests/requirements.txt"
    fi
    # PyButt itself wants Python 3.12 and drivers; its reading of manifests and files does not.
    if [ ! -d "$venv/foreign" ]; then
        say "$venv/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.12 \
            -d "$venv/foreign" pybutt==2.0.0
    fi
    echo "$venv" > "$here/.venv-path"
fi
