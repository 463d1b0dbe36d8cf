#!/usr/bin/env bash
# Trains a quick run once without a stop and once killed with SIGKILL at random moments and resumed each time, then compares every
# file of the two run folders but log.txt, run.json, config.yaml, report.html and TensorBoard's
# events, which hold times and places.
#   tests/kill-and-resume.sh [KILLS=20] [SEED=1] [METHOD=pgd-at+rpat] [train options...]
# METHOD may be 'all': every method in turn, on a made-up set that takes a few seconds each; 'all:te|awp' those whose names match.
# Needs a Release build of engine/Rpat.Trainer.
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-20} RANDOM=${2:-1} method=${3:-pgd-at+rpat}
shift $(($# < 3 ? $# : 3))
program=(dotnet engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

same() { # hashes FOLDER: every file that equal runs have in common
  (cd "$1" && find . -type f ! -name log.txt ! -name run.json ! -name config.yaml ! -name report.html ! -name '*tfevents*' ! -name .lock \
    ! -name 'report.html.tmp-*' -exec sha256sum {} + | sort -k2)
}

finished() { grep -qs '"status": "finished"' "$1"/[0-9]*/run.json; }

train() { # train FOLDER [options...]: the run in question; it ends by itself, or is killed
  "${program[@]}" train "${options[@]}" --progress none --out "$@" >/dev/null 2>"$work/error"
}

kill_and_resume() { # kill_and_resume LENGTH_MS: kills until the run has been killed often enough or is done
  local killed=0 wait_ms process
  while [ "$killed" -lt "$kills" ] && ! finished "$work/parts"; do
    "${program[@]}" train "${options[@]}" --progress none --out "$work/parts" --resume auto >/dev/null 2>"$work/error" &
    process=$!
    wait_ms=$((300 + RANDOM % ($1 * (kills < 5 ? 4 : 8) / (kills < 5 ? 5 : kills) + 500)))
    sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
    if kill -9 "$process" 2>/dev/null; then
      killed=$((killed + 1))
      [ "$kills" -lt 5 ] || echo "kill $killed after $wait_ms ms, newest: $(ls "$work"/parts/*/checkpoints 2>/dev/null | sort | tail -1)"
    fi
    wait "$process" 2>/dev/null || true
  done
  finished "$work/parts" || train "$work/parts" --resume auto || { cat "$work/error"; return 1; }
  echo "$killed" >"$work/killed"
}

compare() { # compare NAME: trains once without a stop, once killed, and compares
  local start length folders
  rm -rf "$work/whole" "$work/parts"
  start=$(date +%s%N)
  train "$work/whole" || { cat "$work/error"; return 1; }
  length=$((($(date +%s%N) - start) / 1000000))
  kill_and_resume "$length"
  # A process that was killed while it made its folder leaves one with an empty record, which no run has begun in.
  folders=($(find "$work"/parts/[0-9]* -maxdepth 1 -name run.json -size +0 -exec dirname {} +))
  if [ "${#folders[@]}" -ne 1 ]; then echo "$1: the run was not resumed: ${#folders[@]} folders"; return 1; fi
  diff <(same "$work"/whole/[0-9]*) <(same "${folders[0]}") || { echo "$1: different after $(cat "$work/killed") kills"; return 1; }
  echo "$1: equal after $(cat "$work/killed") kills: $(same "${folders[0]}" | wc -l) files, uninterrupted $length ms"
}

if [[ $method != all* ]]; then
  options=(--recipe fashion-quick --method "$method" --set model.width=4 --set attack.steps=3 --set train.epochs=2 --set eval.n=50
    --set checkpoint.steps=3 "$@")
  compare "$method"
  exit
fi

"${program[@]}" data synth npz -o "$work/tiny.npz" --n 96 --test 24 --size 1x12x12 --classes 3 >/dev/null
tiny=(--recipe fashion-quick --dataset "npz:$work/tiny.npz" --set model.width=4 --set attack.steps=2 -b 8 --set optimizer.lr=0.02 --epochs 10
  --set eval.attacks=clean,pgd2 --set data.augment.crop=1 --set checkpoint.steps=2 --val-split 24 --monitor pgd2)
options=("${tiny[@]}" --method clean)
train "$work/teacher"
teacher=$(echo "$work"/teacher/[0-9]*)
failed=0
[[ $method == all:* ]] && pattern=${method#all:} || pattern=
methods=$("${program[@]}" methods | awk '/^[a-z]/ { print $1 }'; printf '%s\n' pgd-at+rpat trades+rpat consistency-at+rpat)
for method in $(grep -E -e "$pattern" <<<"$methods"); do
  options=("${tiny[@]}" --method "$method" "$@")
  case $method in
    kd-swa*) options+=(--set "method.teachers.clean=$teacher" --set "method.teachers.robust=$teacher" --set method.start=2) ;;
    adaad*|igdm*) options+=(--set "method.teachers.robust=$teacher") ;;
    cure*) options+=(--set "model.weights=$teacher") ;;
    *) "${program[@]}" methods show "$method" | grep -q '^ *method\.start ' && options+=(--set method.start=2) ;;
  esac
  compare "$method" || failed=$((failed + 1))
done
echo "$failed methods failed"
[ "$failed" -eq 0 ]
