#!/usr/bin/env bash
# Runs this project's step and PyTorch's alternately on the CPU and prints the ratio per item; --help lists the options.
# With --device cuda as the first option: on a GPU, against PyTorch in fp32, TF32 and bf16, with and without torch.compile.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${1:-}" = --device ] && [ "${2:-}" = cuda ]; then
  shift 2
  exec "${PYTHON:-python3}" -B "$here/peer/compare_cuda.py" "$@"
fi
# Debian's python3, whatever else PATH offers: python3-torch installs for that one only.
python=/usr/bin/python3

if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "compare-pytorch: $python has no PyTorch; install it with 'apt-get install python3-torch' and run this again." >&2
  exit 2
fi

exec "$python" -B "$here/peer/drive.py" "$@"
