#!/usr/bin/env bash
# Runs AutoAttack (L-infinity) on one checkpoint and the same images with this project and with a PyTorch reference; --help lists options.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Debian's python3, whatever else PATH offers: python3-torch installs for that one only.
python=/usr/bin/python3

if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "compare-autoattack: $python has no PyTorch; install it with 'apt-get install python3-torch' and run this again." >&2
  exit 2
fi

# glibc gives every large block back to the kernel by default and faults it in again; keeping it makes PyTorch up to 10 % faster.
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=17179869184
exec "$python" -B "$here/peer/compare_autoattack.py" "$@"
