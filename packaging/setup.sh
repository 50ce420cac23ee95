#!/usr/bin/env bash
# Installs what Yizhan needs. Usage: setup.sh system | venv PYTHON VENV | python VENV
set -euo pipefail
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 # the certificates this machine trusts, as pip does
here=$(cd "$(dirname "$0")" && pwd)

system() {
    local wanted missing=()
    mapfile -t wanted < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/apt-packages.txt")
    for package in "${wanted[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -eq 0 ]; then
        echo "Installing ${#missing[@]} system packages: ${missing[*]}"
        apt-get update -qq
        RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        echo "These system packages are missing. Please run, then try again:" >&2
        echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
}

venv() {
    echo "Making the Python environment in $2"
    "$1" -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check uv
}

python() {
    echo "Installing the locked Python packages"
    "$1/bin/uv" pip install --quiet --compile-bytecode --python "$1/bin/python" -r "$here/../requirements.lock"
    "$1/bin/uv" pip install --quiet --python "$1/bin/python" --no-deps "$here/dlib-standin"
}

"$@"
