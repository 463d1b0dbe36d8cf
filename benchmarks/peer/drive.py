"""Runs our peer and PyTorch's in turns and prints one line per item: images per second of both and their ratio.

Both peers are processes that block on standard input while the other works.  Each item gets fresh processes, so that the
memory figure of rpat-step comes from processes that ran nothing else.  Started by compare-pytorch.sh.
"""
import argparse
import contextlib
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "benchmarks/Rpat.Benchmarks"
DLL = f"{PROJECT}/bin/Release/net10.0/Rpat.Benchmarks.dll"
BATCHES = {"preactresnet18": 64, "wrn-34-10": 8, "quick": 64}  # by model
ITEMS = ("rpat-step", "pgd-attack", "clean-step", "eval-forward")
FORMATS = ("contiguous", "channels_last")
# What holds each side to 256-bit vectors where the machine has 512.
AVX2 = {"DOTNET_EnableAVX512": "0", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
PROBES = 2
# Cores that anything but the timed peer may use; PyTorch's spinning threads slow down many times over when a third one competes.
QUIET = 0.1
# glibc gives every large block back to the kernel by default and faults it in again; keeping it makes PyTorch up to 10 % faster.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}


class Failure(Exception):
    """One sentence for the user; the exit status is 2 for a wrong option, else 1."""

    def __init__(self, sentence, status=1):
        super().__init__(sentence)
        self.status = status


class Options(argparse.ArgumentParser):
    def error(self, message):
        raise Failure(f"{message} (--help lists the options).", status=2)


class Peer:
    """A process that answers `run ITEM` with `ITEM seconds` per batch and `peak` with `peak MiB`."""

    def __init__(self, name, command, environment):
        self.name, self.command = name, command
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.stdin.write("quit\n")
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def seconds(self, item):
        return self._ask(f"run {item}", item)

    def peak_mebibytes(self):
        return self._ask("peak", "peak")

    def about(self):
        return self._line("about").partition(" ")[2].strip()

    def _ask(self, request, word):
        line = self._line(request)
        match = re.fullmatch(rf"{re.escape(word)} ([0-9.eE+-]+)\s*", line)
        if match is None or float(match[1]) <= 0:
            answer = f"answered '{line.strip()}' to" if line else "ended without an answer to"
            raise Failure(f"the {self.name} peer {answer} '{request}': run '{' '.join(self.command)}' and type that line to see why.")
        return float(match[1])

    def _line(self, request):
        line = ""
        with contextlib.suppress(OSError):
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        return line


def workload(chosen):
    return ["--model", chosen.model, "--batch", str(chosen.batch), "--threads", str(chosen.threads)]


def environment(chosen, more):
    return {**(AVX2 if chosen.isa == "avx2" else {}), **more}


def start_ours(chosen):
    return Peer("RPAT.Native", ["dotnet", DLL, "peer", *workload(chosen)], environment(chosen, {}))


def start_onnx_runtime(chosen):
    return Peer("ONNX Runtime", ["dotnet", DLL, "onnx-peer", *workload(chosen)], environment(chosen, {}))


def start_theirs(chosen, memory_format, compiled):
    # The whole path: the prefix may change the folder, as chroot does.
    command = [*chosen.python, "-B", str(ROOT / "benchmarks/peer/pytorch_peer.py"), *workload(chosen), "--memory-format", memory_format]
    return Peer("PyTorch", command + ["--compile"] * compiled,
                environment(chosen, {**KEEP_MEMORY, "OMP_NUM_THREADS": str(chosen.threads)}))


def best_of_theirs(chosen, item, stack):
    """Starts PyTorch warm, in the memory format, and compiled or not, in which it is fastest here: the peer at its best."""
    formats = FORMATS if chosen.pytorch_format == "auto" else (chosen.pytorch_format,)
    ways = [(memory_format, compiled) for compiled in ((False, True) if chosen.compile else (False,)) for memory_format in formats]
    best = None
    for way in ways:
        peer = start_theirs(chosen, *way)
        closer = stack.enter_context(contextlib.ExitStack())
        closer.enter_context(peer)
        try:
            peer.seconds(item)
        except Failure as failure:
            if not way[1]:
                raise
            print(f"compare-pytorch: torch.compile is left out: {failure}", file=sys.stderr)
            closer.close()
            continue
        seconds = min(peer.seconds(item) for _ in range(PROBES)) if len(ways) > 1 else 0
        loser = (seconds, peer, way[0] + ", compiled" * way[1], closer)
        if best is None or seconds < best[0]:
            best, loser = loser, best
        if loser is not None:
            loser[3].close()
    return best[1], best[2]


def machine_seconds():
    """Processor seconds that this machine has spent working, or that its host has taken away, since it started."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def process_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Quiet:
    """Watches what everything but the timed peer uses, the idle peer included, and says so on standard error if it is too much."""

    def __init__(self, item):
        self.item, self.disturbances, self.timings = item, [], 0

    def seconds(self, peer):
        start, machine, process = time.perf_counter(), machine_seconds(), process_seconds(peer.process)
        seconds = peer.seconds(self.item)
        others = machine_seconds() - machine - (process_seconds(peer.process) - process)
        self.timings += 1
        cores = others / (time.perf_counter() - start)
        if cores > QUIET:
            self.disturbances.append(cores)
        return seconds

    def report(self):
        if self.disturbances:
            print(f"compare-pytorch: {self.item}: in {len(self.disturbances)} of {self.timings} timings other programs used "
                  f"up to {max(self.disturbances):.1f} cores: repeat this on a quiet machine.", file=sys.stderr)


def take_turns(item, rounds, peers):
    """Seconds per batch, one list per peer with one entry per round; who goes first changes from round to round."""
    quiet, seconds = Quiet(item), {peer: [] for peer in peers}
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            seconds[peer].append(quiet.seconds(peer))
    quiet.report()
    return [seconds[peer] for peer in peers]


def rate(value):
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def spread(values, digits=2):
    return f"median of {len(values)}, {min(values):.{digits}f}–{max(values):.{digits}f}"


def compare(chosen, item):
    with contextlib.ExitStack() as stack:
        theirs, way = best_of_theirs(chosen, item, stack)
        ours = stack.enter_context(start_ours(chosen))
        compare_with(chosen, item, ours, theirs, "pytorch")
        return way, (ours.peak_mebibytes(), theirs.peak_mebibytes())


def compare_with(chosen, item, ours, theirs, name):
    ours.seconds(item)
    turns = take_turns(item, chosen.rounds, [ours, theirs])
    our_rate, their_rate = (chosen.batch / statistics.median(seconds) for seconds in turns)
    ratios = [theirs_took / ours_took for ours_took, theirs_took in zip(*turns)]
    print(f"{item}: ours {rate(our_rate)} images/s, {name} {rate(their_rate)} images/s, "
          f"ratio {statistics.median(ratios):.2f} ({spread(ratios)})", flush=True)


def compare_onnx_runtime(chosen):
    """The forward pass of the ONNX file that we export, in ONNX Runtime."""
    item = "eval-forward"
    with contextlib.ExitStack() as stack:
        theirs = stack.enter_context(start_onnx_runtime(chosen))
        theirs.seconds(item)
        print(f"peer: {theirs.about()}", flush=True)
        compare_with(chosen, item, stack.enter_context(start_ours(chosen)), theirs, "onnxruntime")


def measure_alone(chosen, item):
    with contextlib.ExitStack() as stack:
        theirs, memory_format = best_of_theirs(chosen, item, stack)
        rates = [chosen.batch / seconds for seconds in take_turns(item, chosen.rounds, [theirs])[0]]
        print(f"{item}: pytorch {rate(statistics.median(rates))} images/s ({spread(rates)})", flush=True)
        return memory_format, (None, theirs.peak_mebibytes())


def print_memory(item, ours, theirs):
    if ours is None:
        print(f"memory ({item}): pytorch {theirs:.0f} MiB")
    else:
        print(f"memory ({item}): ours {ours:.0f} MiB, pytorch {theirs:.0f} MiB, ratio {ours / theirs:.2f}")


def cpu_name():
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "unknown CPU"


def describe_machine(chosen):
    with start_theirs(chosen, FORMATS[0], False) as theirs:
        peer = theirs.about()
    if not peer:
        raise Failure(f"'{' '.join(chosen.python)}' has no PyTorch: install it (on Debian 'apt-get install python3-torch'), or name "
                      f"another python3 with --python.", status=2)
    return (f"machine: {cpu_name()}, {len(os.sched_getaffinity(0))} cores; {chosen.model}, batch {chosen.batch}, "
            f"{chosen.threads} threads; {peer}")


def item_list(text):
    items = [item.strip() for item in text.split(",")]
    unknown = [item for item in items if item not in ITEMS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown item '{unknown[0]}', choose from {', '.join(ITEMS)}")
    return list(dict.fromkeys(items))


def positive(text):
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to 999999")
    return int(text)


def read_options():
    options = Options(prog="compare-pytorch.sh", description="Our step against PyTorch's: same model, batch and threads, in turns.")
    options.add_argument("--model", choices=BATCHES, default="preactresnet18")
    options.add_argument("--batch", type=positive, help="images per batch (default 64; 8 for wrn-34-10)")
    options.add_argument("--threads", type=positive, default=2)
    options.add_argument("--rounds", type=positive, default=5, help="pairs of timings per item (default 5)")
    options.add_argument("--items", type=item_list, default=list(ITEMS), help=f"comma-separated, from {','.join(ITEMS)}")
    options.add_argument("--python", type=shlex.split, default=["/usr/bin/python3"], metavar="PREFIX",
                         help="what runs a python3 that has PyTorch, such as 'venv/bin/python3' or 'chroot DIR python3'")
    options.add_argument("--compile", action="store_true", help="try torch.compile too, and keep it where it is faster")
    options.add_argument("--onnxruntime", action="store_true", help="compare eval-forward with ONNX Runtime too, on our exported file")
    options.add_argument("--isa", choices=("native", "avx2"), default="native", help="vectors that both sides may use")
    options.add_argument("--pytorch-format", choices=("auto", *FORMATS), default="auto",
                         help="memory format of PyTorch's tensors; auto tries both and keeps the faster one, per item")
    options.add_argument("--pytorch-alone", action="store_true", help="measure PyTorch only")
    options.add_argument("--no-build", action="store_true", help="take our benchmark program as it was built before")
    chosen = options.parse_args()
    chosen.batch = chosen.batch or BATCHES[chosen.model]
    return chosen


def build_ours():
    try:
        command = ["dotnet", "build", PROJECT, "-c", "Release", "--nologo", "-v", "quiet"]
        built = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode == 0
    except FileNotFoundError as error:
        raise Failure("dotnet is not on PATH: install the .NET 10 SDK, or measure PyTorch only with --pytorch-alone.") from error
    if not built:
        raise Failure(f"{PROJECT} does not build: mend the errors above, or measure PyTorch only with --pytorch-alone.")


def check_ours(chosen):
    if not chosen.no_build:
        build_ours()
    if not (ROOT / DLL).exists():
        raise Failure(f"{DLL} is missing: run this again without --no-build.")


def run():
    chosen = read_options()
    if not chosen.pytorch_alone:
        check_ours(chosen)
    print(describe_machine(chosen), flush=True)
    measure = measure_alone if chosen.pytorch_alone else compare
    results = {item: measure(chosen, item) for item in chosen.items}
    if "rpat-step" in results:
        print_memory("rpat-step", *results["rpat-step"][1])
    ways = "; ".join(f"{item} {result[0]}" for item, result in results.items())
    print(f"pytorch memory format: {ways}")
    if chosen.onnxruntime:
        if chosen.isa == "avx2":
            print("ONNX Runtime has no switch for its vectors: it is free to use AVX-512")
        compare_onnx_runtime(chosen)


def main():
    try:
        run()
        return 0
    except Failure as failure:
        print(f"compare-pytorch: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
