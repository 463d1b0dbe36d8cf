"""Makes models/zoo.npz with PyTorch in double precision: each network of zoo.py in eval mode, and the gradient of the summed cross-entropy
by the images.

Run as `/usr/bin/python3 make_golden_zoo.py`; README.md says what each array is.  Parameters follow from the formula of make_golden.py.
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

from make_golden import fill_named, random_images, single, stored, write
from zoo import ZOO

sys.dont_write_bytecode = True
SHAPE = (2, 3, 16, 16)


def gradient(net, images):
    images = images.clone().requires_grad_()
    logits = net(images)
    labels = torch.arange(len(images)) * 3 % logits.shape[1]
    return logits, torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), images)[0]


def is_smooth(net, images, found):
    """Whether rounding cannot flip a ReLU: images moved by 1e-6 change no gradient by 1e-4 of the largest."""
    for trial in range(4):
        torch.manual_seed(trial)
        moved = gradient(net, images + 1e-6 * torch.randn_like(images))[1]
        if (moved - found).abs().max() > 1e-4 * found.abs().max():
            return False
    return True


def record(name, make):
    net = fill_named(make().double(), name).eval()
    for module in net.modules():
        if hasattr(module, "threshold"):
            module.threshold.fill_(0.25)
    if hasattr(net, "activation"):
        net.activation.alpha.data.fill_(1.5), net.activation.beta.data.fill_(-0.25)
    for attempt in range(200):
        images = stored(random_images(f"{name}/images{attempt}", *SHAPE))
        logits, found = gradient(net, images)
        if is_smooth(net, images, found):
            break
    else:
        raise SystemExit(f"{name}: no batch keeps clear of every kink; take a narrower net")
    print(name, "batch", attempt)
    return {f"{name}/attempt": np.int64(attempt), f"{name}/logits": single(logits), f"{name}/input_gradient": single(found),
            f"{name}/parameters": np.int64(sum(p.numel() for p in net.parameters()))}


def main():
    torch.set_num_threads(1)
    arrays = {"shape": np.array(SHAPE)}
    for name, make in ZOO.items():
        arrays.update(record(name, make))
    write("models/zoo.npz", arrays)


if __name__ == "__main__":
    main()
