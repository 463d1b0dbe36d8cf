"""Compares which images survive AutoAttack here and in the reference code (github.com/fra31/auto-attack), on one trained network.

    /usr/bin/python3 check_autoattack.py REFERENCE RUN DATA NORM EPS N rpat COMMAND...

REFERENCE is a clone of that repository, RUN a run or file of a PreActResNet (recipes fashion-...-quick train one in minutes), DATA
its data set, NORM linf, l2 or l1.  Needs Debian's python3-torch.  Prints the images on which the two disagree, with the margin that the
attacked network has there; fails if they are more than 3 of 100.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "benchmarks" / "peer"))
from models import PreActResNet  # noqa: E402


def network(path):
    state = torch.load(path)
    width, channels = state["conv1.weight"].shape[:2]
    blocks = len({name.split(".")[1] for name in state if name.startswith("layer1.")})
    net = PreActResNet(width=width, blocks=blocks, channels=channels, classes=len(state["linear.bias"]))
    net.load_state_dict(state)
    return net.eval()


def main(reference, run, data, norm, eps, count, *rpat):
    sys.path.insert(0, reference)
    from autoattack import AutoAttack
    count = int(count)
    with tempfile.TemporaryDirectory() as folder:
        def call(*arguments):
            subprocess.run([*rpat, *arguments], check=True, stdout=subprocess.DEVNULL)
        call("export", run, "-o", f"{folder}/net.pt")
        call("data", "pack", data, "-o", f"{folder}/set.npz")
        call("eval", run, "--data", f"npz:{folder}/set.npz", "--norm", norm, "--eps", eps, "--attacks", "aa", "--n", str(count), "-o", f"{folder}/own")
        files = np.load(f"{folder}/set.npz")
        x = torch.from_numpy(files["test_images"][:count].astype(np.float32) / 255)
        y = torch.from_numpy(files["test_labels"][:count].astype(np.int64))
        net = network(f"{folder}/net.pt")
        fooled = {line["sample"] for line in map(json.loads, open(f"{folder}/own/ledger.jsonl")) if line.get("fooled")}
    numerator, _, denominator = eps.partition("/")
    attack = AutoAttack(net, norm={"linf": "Linf", "l2": "L2", "l1": "L1"}[norm], eps=float(numerator) / float(denominator or 1),
                        version="standard", device="cpu", verbose=True)
    attack.seed = 0
    with torch.no_grad():
        right = net(x).argmax(1) == y
    adversarial = attack.run_standard_evaluation(x, y, bs=count)
    with torch.no_grad():
        z = net(adversarial)
    survives = right & (z.argmax(1) == y)
    own = torch.tensor([bool(right[i]) and i not in fooled for i in range(count)])
    apart = (survives != own).nonzero().flatten().tolist()
    print(f"{norm} {eps}: {int(right.sum())} right, {int(survives.sum())} survive the reference, {int(own.sum())} survive here, {len(apart)} apart: {apart}")
    sys.exit(len(apart) > 0.03 * count)


if __name__ == "__main__":
    main(*sys.argv[1:])
