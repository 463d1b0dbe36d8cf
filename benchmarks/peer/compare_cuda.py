"""Times the step of RPAT on a GPU: `rpat bench step` in each precision, and PyTorch in each precision, contiguous and channels last, eager and compiled.

Both use the whole GPU, so they run one behind the other; each figure is the median of several rounds.  Prints images per second and, at the
end, the ratio to the fastest PyTorch of the same precision.  Compiling takes minutes: what does not fit into --limit is left out and named.
Started by compare-pytorch.sh --device cuda; --device cpu tries the script where no GPU is (precisions then mean nothing to rpat).
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

ITEMS = {"step": "rpat-step", "attack": "pgd-attack", "clean-step": "clean-step", "eval-forward": "eval-forward"}
PRECISIONS = ("fp32", "tf32", "bf16")
LAYOUTS = ("channels_last", "contiguous")


def ours(chosen, precision):
    """Images per second of each item, by what `rpat bench step` prints."""
    device = ["--device", "cuda:0", "--precision", precision] if chosen.device == "cuda" else ["--device", "cpu"]
    command = [chosen.rpat, "bench", "step", "--recipe", chosen.recipe, *device,
               "--batch-size", str(chosen.batch), "--rounds", str(chosen.rounds), "--items", ",".join(ITEMS)]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"compare-pytorch: '{' '.join(command)}' failed with status {done.returncode}.")
    return parse(done.stdout)


def parse(text):
    return {match[1]: float(match[2]) for match in re.finditer(r"^(\S+)\s+([0-9.]+) images/s", text, re.MULTILINE)}


def autocast(net, torch):
    """The network under bf16 autocast, with float32 logits, as PyTorch's users train it."""
    class Cast(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            with torch.autocast(x.device.type, dtype=torch.bfloat16):
                z = self.net(x)
            return z.float()
    return Cast()


def theirs(chosen, precision, layout, compiled):
    """Images per second of each item in PyTorch."""
    import torch
    from pytorch_peer import FORMATS, Peer
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    torch.backends.cudnn.benchmark = True

    def wrap(net):
        net = autocast(net, torch) if precision == "bf16" else net
        return torch.compile(net) if compiled else net

    peer = Peer(chosen.model, chosen.batch, FORMATS[layout], chosen.device, wrap, chosen.seconds)
    speeds = {}
    for short, item in ITEMS.items():
        peer.time(item)  # compiles, and lets cuDNN choose
        speeds[short] = chosen.batch / statistics.median(peer.time(item) for _ in range(chosen.rounds))
    return speeds


def variants(chosen, compiles):
    """What is measured of PyTorch, the slow ones last: precision, layout, compiled."""
    for compiled in (False, True) if compiles else (False,):
        for precision in chosen.precisions.split(","):
            for layout in chosen.layouts.split(","):
                yield precision, layout, compiled


def show(name, speeds, against=None):
    for item, speed in speeds.items():
        ratio = f"  {speed / against[item]:5.2f} x PyTorch's best" if against else ""
        print(f"{name:<36} {item:<13} {speed:>10.1f} images/s{ratio}", flush=True)


def keep(chosen, result):
    """Writes what is known so far, so that a limit from outside loses no more than what runs."""
    if chosen.json:
        with open(chosen.json + ".part", "w") as file:
            json.dump(result, file, indent=2)
        os.replace(chosen.json + ".part", chosen.json)


def measure(chosen, torch, result):
    """The best speed of each item in each precision."""
    best, begin = {}, time.perf_counter()
    for precision, layout, compiled in variants(chosen, hasattr(torch, "compile") and not chosen.no_compile):
        name, start = f"PyTorch {precision} {layout} {'compiled' if compiled else 'eager'}", time.perf_counter()
        if start - begin > chosen.limit:
            print(f"{name}: left out, {chosen.limit:.0f} s are over", flush=True)
            continue
        try:
            speeds = theirs(chosen, precision, layout, compiled)
        except Exception as error:  # a compiler that is missing or fails must not take the other figures along
            if not compiled:
                raise
            print(f"{name}: left out, {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}", flush=True)
            continue
        show(name, speeds)
        result["pytorch"][name] = speeds
        keep(chosen, result)
        print(f"{name}: {time.perf_counter() - start:.0f} s in all", flush=True)
        known = best.setdefault(precision, {})
        known.update({item: max(speed, known.get(item, 0)) for item, speed in speeds.items()})
        if chosen.device == "cuda":
            torch.cuda.empty_cache()
    return best


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rpat", required=True, help="the published program")
    parser.add_argument("--recipe", default="cifar10-preactresnet18-rpat-linf")
    parser.add_argument("--model", default="preactresnet18", help="PyTorch's network: that of the recipe")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="least time of a round")
    parser.add_argument("--precisions", default=",".join(PRECISIONS))
    parser.add_argument("--layouts", default=",".join(LAYOUTS))
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out: compiling takes minutes")
    parser.add_argument("--limit", type=float, default=float("inf"), help="seconds after which nothing more of PyTorch is begun")
    parser.add_argument("--json", metavar="FILE", help="write all figures as JSON, images per second of each item")
    return parser.parse_args()


def main():
    chosen = options()
    for given, known in ((chosen.precisions, PRECISIONS), (chosen.layouts, LAYOUTS)):
        if unknown := set(given.split(",")) - set(known):
            sys.exit(f"compare-pytorch: '{min(unknown)}' is unknown, choose from {', '.join(known)}.")
    try:
        import torch
    except ImportError:
        sys.exit(f"compare-pytorch: {sys.executable} has no PyTorch; name one that has it, as in PYTHON=python3.12 benchmarks/compare-pytorch.sh.")
    if chosen.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"compare-pytorch: PyTorch {torch.__version__} finds no GPU; install a CUDA build of it.")
    device = torch.cuda.get_device_name() if chosen.device == "cuda" else "cpu"
    print(f"{device}, PyTorch {torch.__version__}, batch {chosen.batch}, median of {chosen.rounds} rounds", flush=True)
    if not hasattr(torch, "compile"):
        print("compiled: not in this version of PyTorch", flush=True)
    # First, so that a limit cannot leave it out.
    speeds = {precision: ours(chosen, precision) for precision in chosen.precisions.split(",")}
    result = {"device": device, "torch": torch.__version__, "batch": chosen.batch, "rounds": chosen.rounds, "images_per_s": speeds, "pytorch": {}, "ratio": {}}
    keep(chosen, result)
    best = measure(chosen, torch, result)
    for precision, speed in speeds.items():
        show(f"RPAT.Native {precision}", speed, best.get(precision))
        result["ratio"][precision] = {item: value / best[precision][item] for item, value in speed.items()} if precision in best else {}
    keep(chosen, result)


if __name__ == "__main__":
    main()
