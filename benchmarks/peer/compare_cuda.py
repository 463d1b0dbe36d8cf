"""Times the step of RPAT on a GPU: `rpat bench step` in each precision, then PyTorch in each precision, eager and compiled.

Both use the whole GPU, so they run one behind the other; each figure is the median of several rounds.  Prints images per second and,
for each precision, the ratio to PyTorch at its best in that precision.  Started by compare-pytorch.sh --device cuda.
"""
import argparse
import re
import statistics
import subprocess
import sys
import time

ITEMS = {"step": "rpat-step", "attack": "pgd-attack", "clean-step": "clean-step", "eval-forward": "eval-forward"}
PRECISIONS = ("fp32", "tf32", "bf16")


def ours(chosen, precision):
    """Images per second of each item, by what `rpat bench step` prints."""
    command = [chosen.rpat, "bench", "step", "--recipe", chosen.recipe, "--device", "cuda:0", "--precision", precision,
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


def theirs(chosen, precision, compiled, device="cuda"):
    """Images per second of each item in PyTorch, channels last; None where this PyTorch cannot compile."""
    import torch
    from pytorch_peer import Peer
    if compiled and not hasattr(torch, "compile"):
        return None
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    torch.backends.cudnn.benchmark = True

    def wrap(net):
        net = autocast(net, torch) if precision == "bf16" else net
        return torch.compile(net) if compiled else net

    peer = Peer("preactresnet18", chosen.batch, torch.channels_last, device, wrap, chosen.seconds)
    speeds = {}
    for short, item in ITEMS.items():
        peer.time(item)  # compiles, and lets cuDNN choose
        speeds[short] = chosen.batch / statistics.median(peer.time(item) for _ in range(chosen.rounds))
    return speeds


def show(name, speeds, against=None):
    for item, speed in speeds.items():
        ratio = f"  {speed / against[item]:5.2f} x PyTorch's best" if against else ""
        print(f"{name:<28} {item:<13} {speed:>10.1f} images/s{ratio}", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rpat", required=True, help="the published program")
    options.add_argument("--recipe", default="cifar10-preactresnet18-rpat-linf")
    options.add_argument("--batch", type=int, default=512)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=0.5, help="least time of a round")
    options.add_argument("--precisions", default=",".join(PRECISIONS))
    options.add_argument("--no-compile", action="store_true", help="leave torch.compile out: compiling takes minutes")
    chosen = options.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit(f"compare-pytorch: {sys.executable} has no PyTorch; name one that has it, as in PYTHON=python3.12 benchmarks/compare-pytorch.sh.")
    if not torch.cuda.is_available():
        sys.exit(f"compare-pytorch: PyTorch {torch.__version__} finds no GPU; install a CUDA build of it.")
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, batch {chosen.batch}, median of {chosen.rounds} rounds", flush=True)
    for precision in chosen.precisions.split(","):
        best = {}
        for compiled in (False,) if chosen.no_compile else (False, True):
            start, name = time.perf_counter(), f"PyTorch {precision} {'compiled' if compiled else 'eager'}"
            speeds = theirs(chosen, precision, compiled)
            if speeds is None:
                print(f"{name}: not in this version")
                continue
            show(name, speeds)
            print(f"{name}: {time.perf_counter() - start:.0f} s in all", flush=True)
            best = {item: max(speed, best.get(item, 0)) for item, speed in speeds.items()}
        torch.cuda.empty_cache()
        show(f"RPAT.Native {precision}", ours(chosen, precision), best)


if __name__ == "__main__":
    main()
