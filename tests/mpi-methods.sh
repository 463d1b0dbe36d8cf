#!/usr/bin/env bash
# Trains every method for some steps in one process, in two, and in two under each MPI that is installed, on a made-up set that takes a few
# seconds each. Two processes must leave the same bits on every transport, and the weights of one process within rounding: at most 1e-4
# apart in the Euclidean norm of each array, with one of three seeds, since where a ReLU or a pixel's gradient is so near to zero that
# rounding decides, a gradient jumps.
#   tests/mpi-methods.sh [PATTERN] [train options...]      PATTERN: only methods whose names match
# Needs a Release build of engine/Rpat.Trainer, python3, and Open MPI or MPICH (apt-get install openmpi-bin mpich).
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=${1:-.}
shift $(($# < 1 ? $# : 1))
program=(dotnet engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
launchers=$(for family in openmpi mpich; do ! command -v "mpirun.$family" >/dev/null || echo "$family"; done)
[ -n "$launchers" ] || { echo "neither Open MPI nor MPICH is installed"; exit 1; }

weights() { echo "$work/$1"/[0-9]*/model.safetensors; }

distance() { # distance FILE FILE: the largest relative distance of an array from the other file's
  python3 - "$1" "$2" <<'END'
import array, json, sys
def arrays(path):
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    for name, head in sorted(json.loads(data[8:start]).items()):
        if name == "__metadata__" or head["dtype"] != "F32": continue
        first, last = head["data_offsets"]
        yield name, array.array("f", data[start + first:start + last])
most = 0.0
for (name, a), (other, b) in zip(arrays(sys.argv[1]), arrays(sys.argv[2]), strict=True):
    assert name == other and len(a) == len(b), name
    norm = sum(x * x for x in a) or 1.0
    most = max(most, (sum((x - y) ** 2 for x, y in zip(a, b)) / norm) ** 0.5)
print(f"{most:.1e}")
END
}

train() { # train NAME LAUNCHER...: the method in question
  rm -rf "${work:?}/$1"
  "${@:2}" "${program[@]}" train "${options[@]}" --out "$work/$1" >/dev/null 2>"$work/error" || { cat "$work/error"; return 1; }
}

compare() { # compare METHOD SEED: prints a line; fails if the weights of one process are further away than rounding
  local family options=("${options[@]}" --seed "$2") apart said=""
  train one env && train two env RPAT__RUN__PROCESSES=2 || exit 1
  for family in $launchers; do
    local more=()
    [ "$family" = mpich ] || more=(--allow-run-as-root --oversubscribe)
    train "$family" "mpirun.$family" "${more[@]}" -n 2 || exit 1
    cmp "$(weights two)" "$(weights "$family")" || { echo "$1: other bits with $family than with TCP"; exit 1; }
    said="$said, $(grep -ho 'over [^;(]* (' "$work/$family"/[0-9]*/log.txt | head -1 | tr -d '(')"
  done
  apart=$(distance "$(weights one)" "$(weights two)")
  echo "$1, seed $2: $apart from one process; the same bits over TCP$said"
  awk "BEGIN { exit !($apart <= 1e-4) }"
}

"${program[@]}" data synth npz -o "$work/tiny.npz" --n 96 --test 24 --size 1x12x12 --classes 3 >/dev/null
tiny=(--recipe fashion-quick --dataset "npz:$work/tiny.npz" --set model.width=4 --set attack.steps=2 -b 8 --set optimizer.lr=0.01 -j 1
  --max-steps 4 --set eval.attacks=clean --name a --progress none)
options=("${tiny[@]}" --method clean)
train teacher env
failed=0
methods=$("${program[@]}" methods | awk '/^[a-z]/ { print $1 }'; printf '%s\n' pgd-at+rpat trades+rpat consistency-at+rpat)
for method in $(grep -E -e "$pattern" <<<"$methods"); do
  options=("${tiny[@]}" --method "$method" "$@")
  case $method in
    kd-swa*) options+=(--set "method.teachers.clean=$(dirname "$(weights teacher)")" --set "method.start=1"
      --set "method.teachers.robust=$(dirname "$(weights teacher)")") ;;
    adaad*|igdm*) options+=(--set "method.teachers.robust=$(dirname "$(weights teacher)")") ;;
    cure*) options+=(--set "model.weights=$(dirname "$(weights teacher)")") ;;
    *) "${program[@]}" methods show "$method" | grep -q '^ *method\.start ' && options+=(--set method.start=1) ;;
  esac
  compare "$method" 1 || compare "$method" 2 || compare "$method" 3 || failed=$((failed + 1))
done
echo "$failed methods failed"
[ "$failed" -eq 0 ]
