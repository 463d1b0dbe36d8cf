"""Makes ops.npz with PyTorch in double precision: ops that are composed of others, and steps of Adam.

Run as `/usr/bin/python3 make_golden_ops.py`; README.md says what each array is.
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

from make_golden import write

sys.dont_write_bytecode = True
torch.manual_seed(1)

MAPS, ROWS = (2, 6, 5, 7), (6, 8)


def attention(q, k, v):
    """Two samples of three tokens, two heads of four."""
    def heads(x):
        return x.view(2, 3, 2, 4).transpose(1, 2)
    scores = torch.softmax(heads(q) @ heads(k).transpose(2, 3) / 2, -1)
    return (scores @ heads(v)).transpose(1, 2).reshape(6, 8)


OPS = {
    # name: (function, sizes of its inputs)
    "average": (lambda x: F.avg_pool2d(x, 3, 2, 1), [MAPS]),
    "average-inside": (lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), [MAPS]),
    "adaptive": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), [MAPS]),
    "maximum": (lambda x: F.max_pool2d(x, 3, 2, 1), [MAPS]),
    "nearest": (lambda x: F.interpolate(x, (9, 14), mode="nearest"), [MAPS]),
    "bilinear": (lambda x: F.interpolate(x, (8, 5), mode="bilinear", align_corners=False), [MAPS]),
    "bilinear-corners": (lambda x: F.interpolate(x, (8, 5), mode="bilinear", align_corners=True), [MAPS]),
    "concat": (lambda a, b: torch.cat([a, b, a], 1), [MAPS, (2, 3, 5, 7)]),
    "slice": (lambda x: x[:, 1:4, 1:, 2:-1], [MAPS]),
    "pad": (lambda x: F.pad(x, (1, 2, 0, 3)), [MAPS]),
    "permute": (lambda x: x.permute(0, 2, 3, 1), [MAPS]),
    "excite": (lambda x, s: x * torch.sigmoid(s)[:, :, None, None], [MAPS, (2, 6)]),
    "channels": (lambda x, s: x - s.view(1, 6, 1, 1), [MAPS, (1, 6)]),
    "softmax": (lambda x: torch.softmax(3 * x, 1), [ROWS]),
    "layer-norm": (lambda x, w, b: F.layer_norm(x, (8,), w.view(8), b.view(8)), [ROWS, (1, 8), (1, 8)]),
    "group-norm": (lambda x, w, b: F.group_norm(x, 3, w.view(6), b.view(6)), [MAPS, (1, 6), (1, 6)]),
    "matmul": (lambda a, b: a @ b.transpose(2, 3), [(2, 3, 4, 5), (2, 3, 6, 5)]),
    "attention": (attention, [ROWS, ROWS, ROWS]),
    "convolution": (lambda x, w, b: F.conv2d(x, w, b.view(6), 2, (2, 1), (2, 1), 2), [MAPS, (6, 3, 3, 2), (1, 6)]),
    "groups": (lambda x, w: F.conv2d(x, w, None, 1, 1, 1, 3), [MAPS, (9, 2, 3, 3)]),
    "rectangle": (lambda x, w: F.conv2d(x, w, None, 1, (0, 3)), [MAPS, (4, 6, 1, 7)]),
    "gelu": (lambda x: F.gelu(4 * x), [ROWS]),
    "softplus": (lambda x: F.softplus(25 * x, beta=0.9), [ROWS]),
    "power": (lambda x: x ** 3 + torch.sqrt(torch.abs(x)), [ROWS]),
    "clamp": (lambda x: torch.clamp(x, -0.5, 0.25) + F.leaky_relu(x, 0.2) + F.relu6(9 * x), [ROWS]),
    "quotient": (lambda a, b: a / torch.exp(b), [MAPS, MAPS]),
}


def op(name):
    function, sizes = OPS[name]
    inputs = [(2 * torch.rand(size) - 1).float().double().requires_grad_() for size in sizes]
    y = function(*inputs)
    dy = (2 * torch.rand(y.shape) - 1).float().double()
    gradients = torch.autograd.grad(y, inputs, dy)
    arrays = {f"{name}/x{i}": x for i, x in enumerate(inputs)}
    arrays |= {f"{name}/g{i}": g for i, g in enumerate(gradients)}
    return arrays | {f"{name}/y": y, f"{name}/dy": dy}


def adam(name, kind, **options):
    """Three steps of two parameters, the second of which is in a group of its own."""
    weights = [(2 * torch.rand(n) - 1).float().double().requires_grad_() for n in (5, 3)]
    arrays = {f"{name}/w{i}": w.clone() for i, w in enumerate(weights)}
    optimizer = kind([{"params": [weights[0]]}, {"params": [weights[1]], "lr": 0.005, "weight_decay": 0}], lr=0.05, **options)
    for step in range(3):
        for i, weight in enumerate(weights):
            weight.grad = (2 * torch.rand(weight.shape) - 1).float().double()
            arrays[f"{name}/g{i}/{step}"] = weight.grad.clone()
        optimizer.step()
        arrays |= {f"{name}/w{i}/{step}": w.detach().clone() for i, w in enumerate(weights)}
    return arrays


if __name__ == "__main__":
    found = {}
    for each in OPS:
        found |= op(each)
    found |= adam("adam", torch.optim.Adam, weight_decay=0.1, eps=1e-4)
    found |= adam("adamw", torch.optim.AdamW, weight_decay=0.1, betas=(0.8, 0.95))
    found |= adam("sgd", torch.optim.SGD, weight_decay=0.1, momentum=0.9, nesterov=True)
    write("ops.npz", {key: value.detach().numpy().astype(np.float32) for key, value in found.items()})
