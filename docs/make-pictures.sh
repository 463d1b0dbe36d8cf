#!/usr/bin/env bash
# Makes the pictures of the pages: docs/make-pictures.sh [RPAT]; needs chromium. RPAT names the program, rpat by default.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
program=$(command -v "${1:-rpat}")
(cd "$scratch" && "$(realpath "$program")" demo --out demo)
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1088,1376 \
  --screenshot="$scratch/report.png" "file://$(realpath "$scratch/demo/latest/report.html")"
mv "$scratch/report.png" images/report.png
