#!/bin/sh
# Everything worth knowing of a GPU in one call of under ten minutes, from a published program; no SDK is needed on the machine.
# The program, one compressed file of about 44 MB, is made on any machine:
#   dotnet publish engine/Rpat.Trainer -c Release -r linux-x64 --self-contained -p:PublishSingleFile=true \
#     -p:EnableCompressionInSingleFile=true -o rpat-linux
#   benchmarks/gpu.sh rpat-linux/rpat [cuda:0] [batch]
# Prints the device, the audit of the kernels' PTX, each kernel's error, then its time and share of the measured peak for each precision, and
# the RPAT step beside PyTorch's (COMPARE=0 leaves that out; PYTHON names an interpreter that has PyTorch). Each part has a time limit, 600 s
# in all; one that fails does not stop the others.
set -u
RPAT=${1:?usage: benchmarks/gpu.sh PATH-OF-RPAT [cuda:0] [BATCH]}
DEVICE=${2:-cuda:0}
BATCH=${3:-512}
HERE=$(cd "$(dirname "$0")" && pwd)
PTX=$(mktemp -d)
FAILED=0
trap 'rm -rf "$PTX"' EXIT

part() { # part SECONDS COMMAND...
    limit=$1
    shift
    echo "== $*"
    timeout "$limit" "$@" || { echo "== status $? of: $*"; FAILED=1; }
}

if command -v nvidia-smi > /dev/null; then
    part 20 nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader
fi
part 20 "$RPAT" devices
part 40 "$RPAT" bench ptx --arch 80 --out "$PTX"
for precision in fp32 tf32 bf16; do
    part 30 "$RPAT" devices --self-test "$DEVICE" --precision "$precision" --batch-size 128 --time 1
done
for precision in fp32 tf32 bf16; do
    part 45 "$RPAT" bench kernels --device "$DEVICE" --precision "$precision" --batch-size "$BATCH" --time 10
done
if [ "${COMPARE:-1}" != 0 ] && "${PYTHON:-python3}" -c 'import torch' 2> /dev/null; then
    part 290 "$HERE/compare-pytorch.sh" --device cuda --rpat "$RPAT" --batch "$BATCH" --rounds 3 --limit 150
else
    for precision in fp32 tf32 bf16; do
        part 60 "$RPAT" bench step --recipe cifar10-preactresnet18-rpat-linf --device "$DEVICE" --precision "$precision" --batch-size "$BATCH" --rounds 5
    done
fi
exit "$FAILED"
