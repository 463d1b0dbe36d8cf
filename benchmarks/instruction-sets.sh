#!/usr/bin/env bash
# Prints images/s of the RPAT step with AVX-512, AVX2 and portable 128-bit kernels; build the benchmarks in Release first.
# Options: --model NAME --batch N --threads N --conv auto|direct.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program="$here/Rpat.Benchmarks/bin/Release/net10.0/Rpat.Benchmarks.dll"

if [[ ! -f "$program" ]]; then
  echo "instruction-sets: $program is missing; run 'dotnet build benchmarks/Rpat.Benchmarks -c Release' first." >&2
  exit 2
fi

# The runtime's own switches: what it does not report, the engine does not use.
for setting in DOTNET_EnableAVX512=1 DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0; do
  env "$setting" dotnet "$program" speed "$@"
done
