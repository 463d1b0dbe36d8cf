#!/bin/sh
# Everything worth knowing of a GPU in one call of a few minutes, from a published program; no SDK is needed on the machine:
#   dotnet publish engine/Rpat.Trainer -c Release -r linux-x64 --self-contained -p:Ilgpu=on -o rpat-linux
#   benchmarks/gpu.sh rpat-linux/rpat [cuda:0] [batch]
# Prints the device, the audit of the kernels' PTX, each kernel's error and speed, and images/s of the RPAT step, for each precision.
set -eu
RPAT=${1:?usage: benchmarks/gpu.sh PATH-OF-RPAT [cuda:0] [BATCH]}
DEVICE=${2:-cuda:0}
BATCH=${3:-512}
PTX=$(mktemp -d)
trap 'rm -rf "$PTX"' EXIT

nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader || true
"$RPAT" devices
"$RPAT" bench ptx --arch 80 --out "$PTX"
for precision in fp32 tf32 bf16; do
    "$RPAT" devices --self-test "$DEVICE" --precision "$precision" --batch-size "$BATCH"
    "$RPAT" bench step --recipe cifar10-preactresnet18-rpat-linf --device "$DEVICE" --precision "$precision" --batch-size "$BATCH" --rounds 5
done
