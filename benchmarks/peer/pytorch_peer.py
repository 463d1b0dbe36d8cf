"""PyTorch's side of compare-pytorch.sh: a process that times one item whenever it is asked to.

Lines on standard input:  `run ITEM` -> `ITEM seconds` (per batch; the work is repeated until a second has passed),
`peak` -> `peak MiB` (peak resident memory of this process, VmHWM), `about` -> `about VERSIONS`, `quit`.  Between two lines it
blocks, its threads asleep.
"""
import argparse
import contextlib
import re
import sys
import time

import torch
from torch.nn import functional as F

from models import MODELS

EPSILON, STEP, ITERATIONS, ALPHA = 8 / 255, 2 / 255, 10, 0.5
LEAST_SECONDS = 1.0
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Peer:
    """One network, one fixed batch, one optimizer, and the four items that are compared."""

    def __init__(self, model, batch, memory_format, device="cpu", wrap=lambda net: net, least_seconds=LEAST_SECONDS):
        torch.manual_seed(1)
        build, shape = MODELS[model]
        self.device, self.least_seconds = device, least_seconds
        self.net = wrap(build().to(device=device, memory_format=memory_format))
        self.images = torch.rand(batch, *shape, device=device).contiguous(memory_format=memory_format)
        self.labels = torch.arange(batch, device=device) % 10
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
        self.items = {"rpat-step": self.rpat_step, "pgd-attack": self.pgd_attack,
                      "clean-step": self.clean_step, "eval-forward": self.eval_forward}

    def pgd_attack(self):
        """PGD-10 in eval mode from a random start; gradients for the input only, never for the weights."""
        self.net.eval()
        with self.frozen():
            return self._ascend()

    @contextlib.contextmanager
    def frozen(self):
        """Parameters that need no gradient: a compiled backward pass computes whatever needs one, asked for or not."""
        self.net.requires_grad_(False)
        try:
            yield
        finally:
            self.net.requires_grad_(True)

    def _ascend(self):
        noise = torch.empty_like(self.images).uniform_(-EPSILON, EPSILON)
        low, high = (self.images - EPSILON).clamp_(min=0), (self.images + EPSILON).clamp_(max=1)
        point = torch.max(torch.min(self.images + noise, high), low)
        for _ in range(ITERATIONS):
            point.requires_grad_()
            gradient, = torch.autograd.grad(F.cross_entropy(self.net(point), self.labels), point)
            with torch.no_grad():
                moved = point.detach().add(gradient.sign_(), alpha=STEP)
                point = torch.max(torch.min(moved, high, out=moved), low, out=moved)
        return point.detach()

    def rpat_step(self):
        adversarial = self.pgd_attack()
        between = torch.lerp(self.images, adversarial, ALPHA)
        self.net.train()
        z_adversarial, z_between, z_clean = self.net(adversarial), self.net(between), self.net(self.images)
        chord = (1 - ALPHA) * z_clean + ALPHA * z_adversarial
        self._descend(F.cross_entropy(z_adversarial, self.labels) + F.mse_loss(z_between, chord))

    def clean_step(self):
        self.net.train()
        self._descend(F.cross_entropy(self.net(self.images), self.labels))

    def eval_forward(self):
        self.net.eval()
        with torch.inference_mode():
            self.net(self.images)

    def _descend(self, loss):
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def time(self, item):
        """Seconds per batch over as many repetitions as fill a second (at least one)."""
        work, repetitions, start = self.items[item], 0, time.perf_counter()
        while True:
            work()
            if self.device != "cpu":
                torch.cuda.synchronize()
            repetitions += 1
            elapsed = time.perf_counter() - start
            if elapsed >= self.least_seconds:
                return elapsed / repetitions


def peak_mebibytes():
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def about():
    """Versions and instruction set, in one line."""
    built = torch.__config__.show()
    onednn = re.search(r"(?:MKL-DNN|oneDNN) v([0-9.]+)", built)
    vectors = re.search(r"CPU capability usage: (\w+)", built)
    return (f"PyTorch {torch.__version__}, oneDNN {onednn[1] if onednn else 'missing'}, "
            f"{vectors[1] if vectors else 'unknown'} vectors")


def answer(peer, line):
    verb, _, item = line.partition(" ")
    if verb == "about":
        return f"about {about()}"
    if verb == "peak":
        return f"peak {peak_mebibytes():.1f}"
    if verb == "run" and item in peer.items:
        return f"{item} {peer.time(item):.6f}"
    return f"error unknown request '{line}': send 'run ITEM', 'peak', 'about' or 'quit'"


def serve(peer):
    for line in iter(sys.stdin.readline, ""):
        if line.strip() == "quit":
            return
        print(answer(peer, line.strip()), flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", choices=MODELS, required=True)
    options.add_argument("--batch", type=int, required=True)
    options.add_argument("--threads", type=int, required=True)
    options.add_argument("--memory-format", choices=FORMATS, default="contiguous")
    options.add_argument("--compile", action="store_true", help="through torch.compile, which needs a C++ compiler")
    chosen = options.parse_args()
    # Before the first parallel region: worker threads take over the flush-to-zero mode of the thread that starts them.
    torch.set_flush_denormal(True)
    torch.set_num_threads(chosen.threads)
    wrap = torch.compile if chosen.compile else lambda net: net
    serve(Peer(chosen.model, chosen.batch, FORMATS[chosen.memory_format], wrap=wrap))


if __name__ == "__main__":
    main()
