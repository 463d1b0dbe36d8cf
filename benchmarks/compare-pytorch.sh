#!/usr/bin/env bash
# Runs this project's step and PyTorch's alternately on the CPU and prints the ratio per item; --help lists the options.
# With --device cuda as the first option: on a GPU, against PyTorch in fp32, TF32 and bf16, with and without torch.compile.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${1:-}" = --device ] && [ "${2:-}" = cuda ]; then
  shift 2
  exec "${PYTHON:-python3}" -B "$here/peer/compare_cuda.py" "$@"
fi
exec python3 -B "$here/peer/drive.py" "$@"
