#!/usr/bin/env bash
# Trains a quick run once without a stop and once killed with SIGKILL at random moments and resumed each time, then compares every
# file of the two run folders but log.txt, run.json and config.yaml, which hold times and places.
#   tests/kill-and-resume.sh [KILLS=20] [SEED=1] [train options...]
# Needs a Release build of engine/Rpat.Trainer.
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-20} RANDOM=${2:-1}
shift $(($# < 2 ? $# : 2))
rpat=(dotnet engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll train --recipe fashion-quick --set model.width=4 --set attack.steps=3
  --set train.epochs=2 --set eval.n=50 --set checkpoint.steps=3 --progress none "$@")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

start=$(date +%s%N)
"${rpat[@]}" --out "$work/whole" >/dev/null 2>&1
length=$((($(date +%s%N) - start) / 1000000))
echo "uninterrupted: $length ms"

killed=0
while [ "$killed" -lt "$kills" ]; do
  "${rpat[@]}" --out "$work/parts" --resume auto >/dev/null 2>"$work/error" &
  process=$!
  wait_ms=$((300 + RANDOM % (2 * length / kills + 2000)))
  sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
  if kill -9 "$process" 2>/dev/null; then
    killed=$((killed + 1))
    echo "kill $killed after $wait_ms ms, newest: $(ls "$work"/parts/*/checkpoints 2>/dev/null | sort | tail -1)"
  fi
  wait "$process" 2>/dev/null || true
  if grep -qs '"finished"' "$work"/parts/[0-9]*/run.json; then break; fi
done
grep -qs '"finished"' "$work"/parts/[0-9]*/run.json ||
  "${rpat[@]}" --out "$work/parts" --resume auto >/dev/null 2>"$work/error" || { cat "$work/error"; exit 1; }

folders=("$work"/parts/[0-9]*)
hashes() { (cd "$1" && find . -type f ! -name log.txt ! -name run.json ! -name config.yaml -exec sha256sum {} + | sort -k2); }
if [ "${#folders[@]}" -ne 1 ]; then echo "the run was not gone on with: ${#folders[@]} folders"; exit 1; fi
diff <(hashes "$work"/whole/[0-9]*) <(hashes "${folders[0]}") || { echo "different after $killed kills"; exit 1; }
echo "equal after $killed kills: $(hashes "${folders[0]}" | wc -l) files"
