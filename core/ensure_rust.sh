#!/bin/sh
# Prints a PATH on which a recent enough cargo stands, installing one if there is none.
# Debian's rustc-web first (a current Rust in every supported release), then rustup through pip.
set -eu
MINIMUM=88 # minor version of rust-version in Cargo.toml

recent() {
    version=$(PATH="$1" cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge "$MINIMUM" ]
}

if recent "$PATH"; then
    echo "$PATH"
    exit
fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends rustc-web cargo-web gcc libc6-dev; } >&2 || true
    if recent "/usr/bin:$PATH"; then
        echo "/usr/bin:$PATH"
        exit
    fi
fi
if "$1" -m pip install -q puccinialin >&2 && "$1" -m puccinialin >"$2" 2>&2; then
    # The file holds NAME=VALUE lines for CARGO_HOME, RUSTUP_HOME and PATH.
    path=$(sed -n 's/^PATH=//p' "$2")
    if recent "$path"; then
        echo "$path"
        exit
    fi
fi
echo "tokforge: the engine needs Rust 1.$MINIMUM or newer; install rustup, or Debian's rustc-web and cargo-web" >&2
exit 1
