"""Prints the numbers of PyTorchNumbersTests.cs, computed by PyTorch in double precision. Run: /usr/bin/python3 pytorch_numbers.py"""
import math

import torch
from torch.nn import functional as F


def wave(seed, *shape, middle=0.0, reach=1.0):
    """middle + reach * sin(0.37 i + 1.1 seed) over the flat index i: inputs that both languages can make."""
    count = math.prod(shape)
    values = [middle + reach * math.sin(0.37 * i + 1.1 * seed) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def mark(tensor):
    """One number that every entry and its place enter: sum of value * cos(0.01 i)."""
    return sum(v * math.cos(0.01 * i) for i, v in enumerate(tensor.detach().reshape(-1).tolist()))


def leaf(tensor):
    return tensor.clone().requires_grad_()


def layers():
    x, w = leaf(wave(1, 2, 4, 7, 6)), leaf(wave(2, 6, 2, 3, 3))
    y = F.conv2d(x, w, wave(3, 6), stride=2, padding=1, groups=2)
    (y * wave(4, *y.shape)).sum().backward()
    print("conv", [mark(t) for t in (y, x.grad, w.grad)])

    x = wave(5, 2, 3, 7, 6)
    print("pool", [mark(F.avg_pool2d(x, 3, 2, 1)), mark(F.max_pool2d(x, 3, 2, 1))])

    x, gamma, beta = leaf(wave(6, 3, 2, 4, 3)), leaf(wave(7, 2, middle=1.2)), leaf(wave(8, 2))
    mean, variance = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    y = F.batch_norm(x, mean, variance, gamma, beta, training=True)
    (y * wave(9, *y.shape)).sum().backward()
    print("norm", [mark(t) for t in (y, x.grad, gamma.grad, beta.grad, mean, variance)])


def losses():
    a, b = leaf(wave(1, 4, 5, reach=3)), leaf(wave(2, 4, 5, reach=3))
    ce = F.cross_entropy(a, torch.tensor([0, 4, 2, 1]))
    kl = F.kl_div(F.log_softmax(b, 1), F.softmax(a, 1), reduction="batchmean")
    (ce + 2 * kl).backward()
    print("loss", [float(ce), float(kl), mark(a.grad), mark(b.grad)])


def sgd():
    for nesterov in (False, True):
        w = leaf(wave(1, 6))
        optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.05, nesterov=nesterov)
        for step in range(3):
            w.grad = wave(2 + step, 6)
            optimizer.step()
        print("sgd", mark(w))


WIDTH, BLOCKS, CLASSES, CHANNELS = 2, 2, 3, 2


def parameters():
    """Name -> tensor in PyTorch's order; the position in this order is the wave's seed. Buffers follow after the parameters."""
    shapes, norms, cin = {"conv1.weight": (WIDTH, CHANNELS, 3, 3)}, [], WIDTH
    for stage in range(4):
        for i in range(BLOCKS):
            name, out = f"layer{stage + 1}.{i}", WIDTH << stage
            shapes[f"{name}.bn1.weight"] = shapes[f"{name}.bn1.bias"] = (cin,)
            shapes[f"{name}.conv1.weight"] = (out, cin, 3, 3)
            shapes[f"{name}.bn2.weight"] = shapes[f"{name}.bn2.bias"] = (out,)
            shapes[f"{name}.conv2.weight"] = (out, out, 3, 3)
            if cin != out:
                shapes[f"{name}.shortcut.0.weight"] = (out, cin, 1, 1)
            cin = out
    shapes["bn.weight"] = shapes["bn.bias"] = (cin,)
    shapes["linear.weight"], shapes["linear.bias"] = (CLASSES, cin), (CLASSES,)
    state = {name: leaf(wave(j, *shape, middle=float(len(shape) == 1), reach=0.4)) for j, (name, shape) in enumerate(shapes.items())}
    for name, shape in shapes.items():
        if len(shape) == 1 and name.endswith(".weight"):
            state[name[:-6] + "running_mean"] = torch.zeros(shape, dtype=torch.float64)
            state[name[:-6] + "running_var"] = torch.ones(shape, dtype=torch.float64)
    return state


def forward(s, x, training):
    def norm(name, h):
        return F.relu(F.batch_norm(h, s[name + ".running_mean"], s[name + ".running_var"], s[name + ".weight"], s[name + ".bias"], training))

    h = F.conv2d(x, s["conv1.weight"], padding=1)
    for stage in range(4):
        for i in range(BLOCKS):
            name, stride = f"layer{stage + 1}.{i}", 2 if stage and not i else 1
            h0 = norm(name + ".bn1", h)
            key = name + ".shortcut.0.weight"
            side = F.conv2d(h0, s[key], stride=stride) if key in s else h
            h = F.conv2d(h0, s[name + ".conv1.weight"], stride=stride, padding=1)
            h = F.conv2d(norm(name + ".bn2", h), s[name + ".conv2.weight"], padding=1) + side
    return F.linear(norm("bn", h).mean((2, 3)), s["linear.weight"], s["linear.bias"])


def step():
    s, alpha, weight = parameters(), 0.3, 5.0
    x, adversarial = wave(50, 3, CHANNELS, 9, 8, middle=0.5, reach=0.4), wave(51, 3, CHANNELS, 9, 8, middle=0.5, reach=0.4)
    b = forward(s, adversarial, True)
    u = forward(s, x + alpha * (adversarial - x), True)
    a = forward(s, x, True)
    ce = F.cross_entropy(b, torch.tensor([0, 2, 1]))
    mse = F.mse_loss(u, (1 - alpha) * a + alpha * b)
    (ce + weight * mse).backward()
    print("step", [float(ce), float(mse)])
    for name, tensor in s.items():
        print(f'["{name}"] = {mark(tensor.grad if tensor.requires_grad else tensor)!r},')
    print("eval", mark(forward(s, x, False)))


layers()
losses()
sgd()
step()
