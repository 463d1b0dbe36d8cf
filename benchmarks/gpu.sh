#!/bin/sh
# Everything worth knowing of a GPU in one call of under five minutes, from a published program; no SDK is needed on the machine.
# The program, one compressed file of about 45 MB, is made on any machine:
#   dotnet publish engine/Rpat.Trainer -c Release -r linux-x64 --self-contained -p:PublishSingleFile=true \
#     -p:EnableCompressionInSingleFile=true -o rpat-linux
#   benchmarks/gpu.sh rpat-linux/rpat [--device cuda:0] [--batch 128] [--out gpu.json]
# Parts: the devices, the audit of the kernels' PTX, each kernel's error, then its time beside cuBLAS, the copies and the share of the measured peak
# for each precision, and the RPAT step beside PyTorch's (COMPARE=0 leaves PyTorch out; PYTHON names an interpreter that has it).
# Each part has a time limit, all together 300 s; one that fails does not stop the others. FILE gets one JSON object: of each part its name,
# command, exit status (124 or 137 when its time was over, -1 when no time was left for it), seconds, output and result. Exit code 1 if a part failed.
set -u
TOTAL=300

usage() {
    echo "usage: benchmarks/gpu.sh PATH-OF-RPAT [--device cuda:N] [--batch N] [--out FILE]" >&2
    exit 2
}

[ $# -ge 1 ] || usage
RPAT=$1
shift
DEVICE=cuda:0 BATCH=128 OUT=gpu.json
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
        --device) DEVICE=$2 ;;
        --batch) BATCH=$2 ;;
        --out) OUT=$2 ;;
        *) usage ;;
    esac
    shift 2
done
[ -x "$RPAT" ] || { echo "gpu: '$RPAT' is no program that can be run: give the published rpat." >&2; exit 2; }
: > "$OUT.part" || { echo "gpu: '$OUT' cannot be written: choose another file with --out." >&2; exit 2; }

HERE=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python3}
WORK=$(mktemp -d)
FAILED=0
START=$(date +%s)
trap 'rm -rf "$WORK" "$OUT.part"' EXIT
trap 'exit 130' INT TERM

TAB=$(printf '\t')
quoted() { # the standard input as a JSON string
    printf '"'
    tr -d '\000-\010\013-\037' | sed "s/\\\\/\\\\\\\\/g; s/\"/\\\\\"/g; s/$TAB/\\\\t/g" | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
    printf '"'
}

part() { # part NAME SECONDS COMMAND...: runs it with --json FILE behind it, and adds what came of it to the result
    name=$1 limit=$2
    shift 2
    begin=$(date +%s)
    left=$((TOTAL - 5 - begin + START)) # the end needs some time too
    [ "$limit" -le "$left" ] || limit=$left
    result=$WORK/$name.json
    echo "== $name: $*"
    if [ "$limit" -lt 1 ]; then
        status=-1
        echo "gpu: no time was left for $name." | tee "$WORK/text"
    else
        { timeout -k 2 "$limit" "$@" --json "$result" 2>&1; echo $? > "$WORK/status"; } | tee "$WORK/text"
        status=$(cat "$WORK/status")
    fi
    if [ "$status" -ne 0 ]; then
        FAILED=1
        echo "== $name ended with status $status"
    fi
    {
        [ ! -s "$OUT.part" ] || printf ',\n'
        printf '{"name": "%s", "command": %s, "status": %s, "seconds": %s, "output": %s, "result": ' \
            "$name" "$(printf '%s' "$*" | quoted)" "$status" "$(($(date +%s) - begin))" "$(quoted < "$WORK/text")"
        if [ -s "$result" ]; then cat "$result"; else printf null; fi
        printf '}'
    } >> "$OUT.part"
}

has_torch() {
    [ "${COMPARE:-1}" != 0 ] && "$PYTHON" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2> /dev/null
}

# PyTorch's packages bring a cuBLAS where no toolkit is installed.
CUBLAS=$("$PYTHON" -c 'import glob, site; print(":".join(p for s in site.getsitepackages() + [site.getusersitepackages()] for p in glob.glob(s + "/nvidia/*/lib")))' 2> /dev/null)
[ -z "$CUBLAS" ] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$CUBLAS"

part devices 10 "$RPAT" devices
part ptx 25 "$RPAT" bench ptx --arch 80 --out "$WORK/ptx"
for precision in fp32 tf32 bf16; do
    part "self-test-$precision" 20 "$RPAT" devices --self-test "$DEVICE" --precision "$precision" --batch-size 32 --time 1
done
for precision in fp32 tf32 bf16; do
    part "kernels-$precision" 30 "$RPAT" bench kernels --device "$DEVICE" --precision "$precision" --batch-size "$BATCH" --rounds 5 --time 5
done
if has_torch; then
    part step-beside-pytorch 110 "$HERE/compare-pytorch.sh" --device cuda --rpat "$RPAT" --batch "$BATCH" --rounds 3 --seconds 0.3 --limit 45
else
    for precision in fp32 tf32 bf16; do
        part "step-$precision" 35 "$RPAT" bench step --recipe cifar10-preactresnet18-rpat-linf \
            --device "$DEVICE" --precision "$precision" --batch-size "$BATCH" --rounds 5
    done
fi

{
    printf '{"program": %s, "device": "%s", "batch": %s, "seconds": %s, "limit": %s, "failed": %s, "parts": [\n' \
        "$(printf '%s' "$RPAT" | quoted)" "$DEVICE" "$BATCH" "$(($(date +%s) - START))" "$TOTAL" "$([ "$FAILED" = 0 ] && echo false || echo true)"
    cat "$OUT.part"
    printf '\n]}\n'
} > "$WORK/all" && mv "$WORK/all" "$OUT"
echo "== $OUT has everything"
exit "$FAILED"
