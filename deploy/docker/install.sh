#!/bin/sh
# install.sh LIST…: installs the Debian packages of these lists in deploy/packages, and keeps
# nothing of apt in the image's layer.
set -eu
cd "$(dirname "$0")/../packages"

apt-get update
# shellcheck disable=SC2046 # one word for each package
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(sed 's/#.*//' "$@")
rm -rf /var/lib/apt/lists/*
