"""Times AutoAttack (L-infinity) on one checkpoint and the same images: `rpat eval --attacks aa`, then the PyTorch reference.

Prints survivors and evaluations of both, since a comparison is only fair when they agree.  Started by compare-autoattack.sh.
"""
import argparse
import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from autoattack import autoattack
from models import PreActResNet

ROOT = Path(__file__).resolve().parents[2]
DLL = ROOT / "engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll"


def load_safetensors(path):
    data = Path(path).read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    kinds = {"F32": np.float32, "I64": np.int64}
    return {name: torch.from_numpy(np.frombuffer(data, kinds[entry["dtype"]], offset=8 + length + entry["data_offsets"][0],
                                                 count=int(np.prod(entry["shape"], dtype=int))).reshape(entry["shape"]).copy())
            for name, entry in header.items()}, metadata


def network(path):
    state, metadata = load_safetensors(path)
    channels = int(metadata["rpat.model.input"].split("x")[0])
    net = PreActResNet(int(metadata["rpat.model.width"]), int(metadata["rpat.model.blocks"]), channels, int(metadata["rpat.model.classes"]))
    net.load_state_dict(state)
    return net.eval(), int(metadata["rpat.model.classes"])


def faster_format(net, x, y):
    """The memory format in which the network's gradients are faster here: the peer at its best; leaves the network warm in it."""
    seconds = {}
    for memory_format in (torch.contiguous_format, torch.channels_last):
        net.to(memory_format=memory_format)
        for _ in range(3):
            start = time.perf_counter()
            part = x.contiguous(memory_format=memory_format).requires_grad_()
            torch.autograd.grad(torch.nn.functional.cross_entropy(net(part), y), part)
            seconds[memory_format] = time.perf_counter() - start
    best = min(seconds, key=seconds.get)
    net.to(memory_format=best)
    return best


def ours(chosen, folder):
    start = time.perf_counter()
    subprocess.run(["dotnet", str(DLL), "eval", chosen.checkpoint, "--data", chosen.data, "--attacks", "aa", "--eps", str(chosen.eps),
                    "--n", str(chosen.n), "--batch-size", str(chosen.batch), "--threads", str(chosen.threads), "--out", folder],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    report = json.loads((Path(folder) / "result.json").read_text())
    entries = [json.loads(line) for line in (Path(folder) / "ledger.jsonl").read_text().splitlines()]
    column = report["columns"][0]
    return seconds, report["clean_correct"], [stage["robust"] for stage in column["stages"]], \
        sum(e["forwards"] for e in entries), sum(e["backwards"] for e in entries)


def main():
    options = argparse.ArgumentParser(prog="compare-autoattack.sh", description=__doc__)
    options.add_argument("checkpoint", help="model.safetensors of a PreActResNet")
    options.add_argument("--data", default="fashion-mnist", help="as rpat eval takes it")
    options.add_argument("--eps", type=float, default=8 / 255)
    options.add_argument("--n", type=int, default=32, help="images (default 32)")
    options.add_argument("--batch", type=int, default=128)
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    if not DLL.exists():
        print("compare-autoattack: build the trainer first: dotnet build engine/Rpat.Trainer -c Release", file=sys.stderr)
        return 2
    torch.set_flush_denormal(True)
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    net, classes = network(chosen.checkpoint)
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "evaluation")
        seconds, clean, stages, forwards, backwards = ours(chosen, folder)
        x = torch.from_numpy(np.load(Path(folder) / "images.npy"))
        y = torch.from_numpy(np.load(Path(folder) / "labels.npy"))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    memory_format = faster_format(net, x, y)
    x = x.contiguous(memory_format=memory_format)
    start = time.perf_counter()
    right, robust, their_stages, model = autoattack(net, x, y, chosen.eps, chosen.batch, classes)
    theirs = time.perf_counter() - start
    names = ("apgd-ce", "apgd-t", "fab-t", "square")
    print(f"ours     clean {clean}, " + ", ".join(f"{n} {s}" for n, s in zip(names, stages)) + f"; {forwards} forwards, {backwards} gradients; {seconds:.1f} s (program start and self-test included)")
    print(f"pytorch  clean {int(right.sum())}, " + ", ".join(f"{n} {s}" for n, s in zip(names, their_stages)) + f"; {model.forwards} forwards, {model.backwards} gradients; {theirs:.1f} s")
    print(f"pytorch memory format: {memory_format}, {chosen.n} images, {chosen.threads} threads")
    print(f"ratio {theirs / seconds:.2f}; per gradient-equivalent (a forward alone counts a third) "
          f"{(theirs / (model.backwards + (model.forwards - model.backwards) / 3)) / (seconds / (backwards + (forwards - backwards) / 3)):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
