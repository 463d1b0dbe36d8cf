"""Makes attacks.npz with PyTorch in double precision: the way of APGD, FAB and Square, step by step, on nets of several kinds.

Run as `/usr/bin/python3 make_golden_attacks.py`; README.md says what each array is.  The attacks are written here from their
description (attacks.md 2.2 to 2.6), in whole batches and with the random numbers given from outside, so that nothing but the
arithmetic is compared.  Parameters, images and starts follow from the formula of make_golden.py and are not stored.
"""
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from make_golden import fill_named, random_images, single, stored, write
from models import PreActResNet

sys.dont_write_bytecode = True

GUARD, NOT_FOUND = 1e-12, 1e10
THRESHOLDS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
COUNT, TRIALS = 8, 10
DRIFT, DLR_DRIFT = 5e-6, 5e-5  # of the logits' size; DLR divides by differences of logits, which enlarges their rounding


class Mlp(nn.Module):
    """Fully connected layers; `layer0`, `layer1`, ... as the tests name them."""

    def __init__(self, inputs, widths, activation):
        super().__init__()
        self.activation, self.count = activation, len(widths)
        for i, width in enumerate(widths):
            setattr(self, f"layer{i}", nn.Linear(inputs, width))
            inputs = width

    def forward(self, x):
        x = x.flatten(1)
        for i in range(self.count):
            x = getattr(self, f"layer{i}")(x)
            x = self.activation(x) if i < self.count - 1 else x
        return x


# name: (maker, image, gain): the formula's weights make all classes nearly alike, so some are multiplied by a power of two
NETS = {
    "attack-conv": (lambda: PreActResNet(width=4, blocks=1), (3, 10, 10), 4),
    "attack-tanh": (lambda: Mlp(192, (20, 16, 10), torch.tanh), (3, 8, 8), 2),
    "attack-five": (lambda: Mlp(64, (24, 5), torch.relu), (1, 8, 8), 4),
    "attack-three": (lambda: Mlp(75, (12, 3), torch.relu), (3, 5, 5), 4),
    "attack-two": (lambda: Mlp(100, (16, 12, 2), torch.relu), (1, 10, 10), 4),
}


class Model:
    """A net that is asked in single or double precision; points are rounded as a program in single precision stores them."""

    def __init__(self, net, in_single):
        self.net, self.single = (net.float() if in_single else net.double()).eval(), in_single

    def round(self, u):
        return u.float().double() if self.single else u

    def logits(self, u):
        with torch.no_grad():
            return self.net(u.float() if self.single else u).double()

    def gradient(self, u, loss):
        """Logits, loss of each image, and its gradient by the image."""
        x = (u.float() if self.single else u).detach().requires_grad_()
        z = self.net(x)
        leaf = z.detach().double().requires_grad_()
        value = loss(leaf)
        by_logits, = torch.autograd.grad(value.sum(), leaf)
        gradient, = torch.autograd.grad(z, x, by_logits.to(z.dtype))
        return leaf.detach(), value.detach(), gradient.double()


def length(v, norm):
    return v.flatten(1).abs().max(1)[0] if norm == "linf" else v.flatten(1).norm(dim=1)


def each(values):
    return values.view(-1, 1, 1, 1)


def project(u, x, eps, norm):
    if norm == "linf":
        return torch.max(torch.min(u, x + eps), x - eps).clamp(0, 1)
    d, n = u - x, each(length(u - x, norm))
    return (x + d / (n + GUARD) * n.clamp(max=eps)).clamp(0, 1)


def ascend(u, g, step, norm):
    return u + each(step) * (g.sign() if norm == "linf" else g / (each(length(g, norm)) + GUARD))


# ---- losses ------------------------------------------------------------------------------------------------------------

def own(z, y):
    return z.gather(1, y[:, None])[:, 0]


def margin(z, y):
    return own(z, y) - z.scatter(1, y[:, None], -np.inf).max(1)[0]


def dlr(y):
    def loss(z):
        top = z.sort(1, descending=True)[0]
        return -margin(z, y) / (top[:, 0] - top[:, 2] + GUARD)
    return loss


def targeted_dlr(y, t):
    """With three classes over the untargeted denominator, with two the plain difference, as the tests' subject defines them."""
    def loss(z):
        top, gap = z.sort(1, descending=True)[0], own(z, y) - own(z, t)
        if z.shape[1] == 2:
            return -gap
        return -gap / (top[:, 0] - (top[:, 2] if z.shape[1] == 3 else (top[:, 2] + top[:, 3]) / 2) + GUARD)
    return loss


# ---- APGD ----------------------------------------------------------------------------------------------------------------

def apgd(model, x, y, eps, norm, loss, start, steps):
    """Losses [n, steps + 1], who was ever wrong, best losses, and the number of halvings."""
    u = model.round(start)
    z, value, g = model.gradient(u, loss)
    wrong, ways = z.argmax(1) != y, [value]
    best, best_g, best_value = u, g, value
    step, previous = torch.full((len(x),), 2.0 * eps, dtype=torch.double), u
    window, least, shrink = max(int(.22 * steps), 1), max(int(.06 * steps), 1), max(int(.03 * steps), 1)
    history, count, halvings = torch.zeros(steps, len(x), dtype=torch.double), 0, torch.zeros(len(x))
    reduced, at_check = torch.ones(len(x), dtype=torch.bool), value
    for i in range(steps):
        keep, move, before = (1.0 if i == 0 else 0.75), u - previous, u
        v = model.round(project(ascend(u, g, step, norm), x, eps, norm))
        u, previous = model.round(project(u + keep * (v - u) + (1 - keep) * move, x, eps, norm)), before
        z, value, g = model.gradient(u, loss)
        wrong |= z.argmax(1) != y
        history[i] = value
        ways.append(value)
        better = value > best_value
        best, best_g = torch.where(each(better), u, best), torch.where(each(better), g, best_g)
        best_value = torch.where(better, value, best_value)
        count += 1
        if count == window:
            rises = sum((history[i - j] > history[i - j - 1]).double() for j in range(window))
            halve = (rises <= .75 * window) | (~reduced & (at_check >= best_value))
            reduced, at_check, halvings = halve, best_value, halvings + halve
            step = torch.where(halve, step / 2, step)
            u, g = torch.where(each(halve), best, u), torch.where(each(halve), best_g, g)
            window, count = max(window - shrink, least), 0
    return torch.stack(ways, 1), wrong, best_value, halvings


# ---- FAB -----------------------------------------------------------------------------------------------------------------

def to_hyperplane(z, w, b, norm):
    """The smallest move of one point of the box onto w.v = b inside the box."""
    rest = w @ z - b
    w, rest = (w, rest) if rest >= 0 else (-w, -rest)
    a, room = np.abs(w), np.where(w > 0, z, 1 - z)
    active = a > (0 if norm == "linf" else 1e-8)
    key = np.where(active, room if norm == "linf" else room / np.where(active, a, 1), np.inf)
    level, slope = np.inf, (a[active].sum() if norm == "linf" else np.square(a[active]).sum())
    for i in np.argsort(key, kind="stable")[:active.sum()]:
        if slope * key[i] >= rest:
            level = rest / slope
            break
        rest, slope = rest - a[i] * room[i], slope - (a[i] if norm == "linf" else a[i] * a[i])
    return np.where(active, -np.sign(w) * np.minimum(level * (1 if norm == "linf" else a), room), 0) if np.isfinite(level) \
        else np.where(active, -np.sign(w) * room, 0)


def fab(model, x, y, norm, rank, start, steps):
    """Gaps of the nearest boundary [n, steps], and the least norm after each step [n, steps]."""
    z = model.logits(x)
    order = z.sort(1, descending=True)[1]
    classes = z.shape[1]
    u, gaps, norms, least = model.round(start), [], [], torch.full((len(x),), NOT_FOUND, dtype=torch.double)
    for _ in range(steps):
        nearest = [(np.inf, None, None)] * len(x)
        candidates = [order[:, rank - 1]] if rank else [(y + k) % classes for k in range(1, classes)]
        for k in candidates:
            _, gap, w = model.gradient(u, lambda z: own(z, k) - own(z, y))
            dual = w.flatten(1).abs().sum(1) if norm == "linf" else w.flatten(1).norm(dim=1)
            for i, distance in enumerate(gap.abs() / (GUARD + dual)):
                if distance < nearest[i][0]:
                    nearest[i] = (distance.item(), gap[i].item(), w[i].flatten().numpy())
        gaps.append(torch.tensor([gap for _, gap, _ in nearest], dtype=torch.double))
        u = model.round(torch.stack([fab_move(x[i], u[i], *nearest[i][1:], norm) for i in range(len(x))]))
        wrong, n = model.logits(u).argmax(1) != y, length(u - x, norm)
        least = torch.where(wrong & (n < least), n, least)
        norms.append(least)
        u = model.round(torch.where(each(wrong), x + .9 * (u - x), u))
    return torch.stack(gaps, 1), torch.stack(norms, 1)


def fab_move(x, u, gap, w, norm):
    shape, x, u = x.shape, x.flatten().numpy(), u.flatten().numpy()
    b = w @ u - gap
    here, image = to_hyperplane(u, w, b, norm), to_hyperplane(x, w, b, norm)
    size = (lambda v: np.abs(v).max()) if norm == "linf" else np.linalg.norm
    a1, a2 = max(size(here), 1e-8), max(size(image), 1e-8)
    bias = min(max(a1 / (a1 + a2), 0), .1)
    return torch.from_numpy(np.clip((1 - bias) * (u + 1.05 * here) + bias * (x + 1.05 * image), 0, 1)).view(shape)


# ---- Square ----------------------------------------------------------------------------------------------------------------

class Lcg:
    """The generator of attacks.md 4.5."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self, *shape):
        values = np.empty(int(np.prod(shape)))
        for i in range(len(values)):
            self.state = (self.state * 1664525 + 1013904223) % 2**32
            values[i] = (self.state >> 8) / 2.0**24
        return values.reshape(shape) if shape else values[0]


def bump(rows, columns):
    r, c = np.arange(rows)[:, None], np.arange(columns)[None]
    row, column = rows // 2, columns // 2
    m = sum(((np.abs(r - row) <= j) & (np.abs(c - column) <= j)) / (j + 1) ** 2 for j in range(max(row, column) + 1))
    return m / np.linalg.norm(m)


def pattern(side, flip):
    upper = side // 2
    eta = np.concatenate([bump(upper, side), -bump(side - upper, side)])
    eta = eta / np.linalg.norm(eta)
    return eta.T if flip > 0.5 else eta


def square(model, x, y, eps, norm, steps, seed=5):
    """Margins after the start and each step [n, steps + 1], and the uniform numbers that were drawn."""
    draw, propose = Lcg(seed), square_linf if norm == "linf" else square_l2
    u = model.round(torch.from_numpy((square_linf_start if norm == "linf" else square_l2_start)(x.numpy(), eps, draw)))
    m = margin(model.logits(u), y)
    ways = [m]
    for i in range(steps):
        alive = (m > 0).nonzero()[:, 0]
        if len(alive):
            share = .8 / 2 ** sum(t < i for t in THRESHOLDS)
            v = model.round(torch.from_numpy(propose(x[alive].numpy(), u[alive].numpy(), eps, share, draw)))
            new = margin(model.logits(v), y[alive])
            better = (new < m[alive]) | (new <= 0)
            u, m = u.clone(), m.clone()
            u[alive[better]], m[alive[better]] = v[better], new[better]
        ways.append(m)
    return torch.stack(ways, 1), draw


def square_linf_start(x, eps, draw):
    n, c, _, w = x.shape
    return np.clip(x + eps * np.sign(2 * draw(n, c, 1, w) - 1), 0, 1)


def square_linf(x, u, eps, share, draw):
    _, c, h, w = x.shape
    side = min(max(round(np.sqrt(share * h * w)), 1), h, w)
    top, left = int((h - side) * draw()), int((w - side) * draw())
    v = u.copy()
    v[:, :, top:top + side, left:left + side] += 2 * eps * np.sign(2 * draw(c, 1, 1) - 1)
    return np.clip(np.clip(v, x - eps, x + eps), 0, 1)


def along(x, d, eps):
    return np.clip(x + eps * d / (np.linalg.norm(d.reshape(len(d), -1), axis=1).reshape(-1, 1, 1, 1) + GUARD), 0, 1)


def square_l2_start(x, eps, draw):
    n, c, h, w = x.shape
    side, d = max(min(h, w) // 5, 1), np.zeros(x.shape)
    first = (h - 5 * side) // 2
    for i in range(h // side):
        for j in range(w // side):
            eta, sign = pattern(side, draw()) if side > 1 else one_cell(draw()), np.sign(2 * draw(n, c, 1, 1) - 1)
            top, left = first + i * side, first + j * side
            if top + side <= h and left + side <= w:
                d[:, :, top:top + side, left:left + side] += eta * sign
    return along(x, d, eps)


def one_cell(_flip):
    """A pattern of side 1 has an empty upper half."""
    return np.array([[-1.0]])


def square_l2(x, u, eps, share, draw):
    n, c, h, w = x.shape
    side = max(round(np.sqrt(share * h * w)), 3)
    side = min(side + (side % 2 == 0), h, w)
    (top, left), (from_top, from_left) = [(int((h - side) * draw()), int((w - side) * draw())) for _ in range(2)]
    eta, sign = pattern(side, draw()), np.sign(2 * draw(n, c, 1, 1) - 1)
    d = u - x
    to = (slice(None), slice(None), slice(top, top + side), slice(left, left + side))
    other = (slice(None), slice(None), slice(from_top, from_top + side), slice(from_left, from_left + side))
    both = np.zeros(x.shape, bool)
    both[to], both[other] = True, True
    total = np.square(d).sum((1, 2, 3), keepdims=True)
    freed = (np.square(d) * both).sum((2, 3), keepdims=True)
    fill = eta * sign + d[to] / (GUARD + np.sqrt(np.square(d[to]).sum((2, 3), keepdims=True)))
    fill = fill / (GUARD + np.sqrt(np.square(fill).sum((2, 3), keepdims=True)))
    d[other] = 0
    d[to] = fill * np.sqrt(np.maximum(eps * eps - total, 0) / c + freed)
    return along(x, d, eps)


# ---- recording ---------------------------------------------------------------------------------------------------------------

def network(name, in_single):
    make, _, gain = NETS[name]
    net = fill_named(make().double(), name, 32)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim > 1:
                parameter.mul_(gain)
    return Model(net, in_single)


def centre(model, x):
    """Takes the mean logits of the images off the last bias, so that the net sees several classes; returns that bias."""
    last = model.net.linear if hasattr(model.net, "linear") else list(model.net.modules())[-1]
    with torch.no_grad():
        last.bias.copy_(stored(last.bias - model.logits(x).mean(0)))
    return single(last.bias)


def shaken(name, model, trial):
    """The net in single precision; all but the first with weights that differ in their last bits."""
    other = network(name, True)
    other.net.load_state_dict(model.net.state_dict())
    torch.manual_seed(trial)
    with torch.no_grad():
        for parameter in other.net.parameters():
            parameter.mul_(1 + 2e-7 * (trial > 0) * torch.randn_like(parameter))
    return other


def start_of(name, x, eps, norm):
    t = 2 * random_images(f"{name}/start", *x.shape) - 1
    return stored((x + eps * t / each(length(t, norm))).clamp(0, 1))


def until(way, others, drift):
    """For each image the number of entries in which all runs in single precision go the same way."""
    apart = np.logical_or.reduce([((other - way).abs() > drift).numpy() for other in others])
    return np.where(apart.any(1), apart.argmax(1), apart.shape[1])


def record(arrays, key, scale, run, models):
    """Runs an attack in double precision, and in single precision for how far its way is that of the arithmetic and not of rounding."""
    way, *others = [run(model) for model in models]
    drift = DLR_DRIFT if "-dlr" in key else DRIFT * scale
    series = 2 if "/fab" in key else 1
    arrays[f"{key}/way"] = single(way[0])
    arrays[f"{key}/until"] = np.min([until(way[i], [other[i] for other in others], drift) for i in range(series)], axis=0)
    print(f"{key}: same way for", *arrays[f"{key}/until"])
    return way, others


def record_net(arrays, name):
    shape = NETS[name][1]
    x = stored(0.75 * random_images(f"{name}/colours", COUNT, shape[0], 1, 1) + 0.25 * random_images(f"{name}/images", COUNT, *shape))
    double = network(name, False)
    arrays[f"{name}/bias"] = centre(double, x)
    models = [double, *[shaken(name, double, trial) for trial in range(TRIALS)]]
    y = double.logits(x).argmax(1)
    second = double.logits(x).sort(1, descending=True)[1][:, 1]
    classes, scale = double.logits(x).shape[1], max(1, double.logits(x).abs().max().item())
    arrays[f"{name}/logits"], arrays[f"{name}/labels"] = single(double.logits(x)), y.numpy()
    print(name, "labels", *y.tolist())
    for norm in ("linf", "l2"):
        _, norms = fab(double, x, y, norm, 0, x, 30)
        eps = float(f"{norms[:, -1].median().item():.3g}")
        arrays[f"{name}/{norm}/eps"] = np.float64(eps)
        start = start_of(name, x, eps, norm)
        losses = {"ce": lambda z: F.cross_entropy(z, y, reduction="none"), "dlr-t": targeted_dlr(y, second)}
        if classes > 2:
            losses["dlr"] = dlr(y)
        for steps, kinds in ((100, losses), (37, {"ce": losses["ce"]})):
            for kind, loss in kinds.items():
                key = f"{name}/{norm}/apgd-{kind}-{steps}"
                (_, wrong, best, halvings), others = record(arrays, key, scale, lambda m: apgd(m, x, y, eps, norm, loss, start, steps), models)
                certain = torch.stack([h == halvings for _, _, _, h in others]).all(0)
                arrays.update({f"{key}/wrong": wrong.numpy(), f"{key}/best": single(best),
                               f"{key}/halvings": torch.where(certain, halvings, -torch.ones(COUNT)).numpy().astype(np.int64)})
        for rank, begin, kind in ((0, x, "fab"), (2, x, "fab-t"), (2, start, "fab-t-start")):
            key = f"{name}/{norm}/{kind}"
            (_, norms), _ = record(arrays, key, scale, lambda m: fab(m, x, y, norm, rank, begin, 60), models)
            arrays[f"{key}/norms"] = single(norms)
        key = f"{name}/{norm}/square"
        record(arrays, key, scale, lambda m: square(m, x, y, eps, norm, 1200), models)


def main():
    torch.set_num_threads(1)
    arrays = {}
    for name in NETS:
        record_net(arrays, name)
    write("attacks.npz", arrays)


if __name__ == "__main__":
    main()
