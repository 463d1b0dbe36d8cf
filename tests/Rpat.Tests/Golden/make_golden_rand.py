"""Makes rand.npz: which images AutoAttack's rand version breaks on small random nets, pass by pass with scripted noise.

Run as `/usr/bin/python3 make_golden_rand.py`; README.md says what each array is.  The attack is written here from its description
(attacks.md 2.1 and 2.2) in double precision, points rounded as a program in single precision stores them.  Noise and starts come from
Philox under the keys of RandomKey.cs, written here anew, so that every pass of both programs sees the same numbers.
"""
import sys

import numpy as np
import torch

from make_golden import write

sys.dont_write_bytecode = True
torch.set_num_threads(1)

START, NOISE, DECISION = 4, 6, 11  # purposes of random numbers
IDS = {"ce": 10, "dlr": 11}
STEPS, DRAWS, GUARD, SEED = 100, 20, 1e-12, 3
CASES = [("linf", 0.02, 0.1, 16), ("linf", 0.01, 0.2, 16), ("l2", 0.25, 0.15, 16)]


# ---- random numbers ----------------------------------------------------------------------------------------------------

def philox(counter, key):
    """Ten rounds of Philox4x32 on arrays of counters [4, n]."""
    c, (k0, k1), low = [w.astype(np.uint64) for w in counter], key, np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def words(count, purpose, epoch, sample, restart, iteration):
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    rest = [np.full_like(blocks, v) for v in (sample, epoch << 12 | restart, iteration << 8 | purpose)]
    return np.stack(philox([blocks, *rest], (SEED, 0)), 1).reshape(-1)[:(count + 3) // 4 * 4]


def symmetric(count, *key):
    return ((words(count, *key).astype(np.uint32).astype(np.int32) >> 8) / 2.0 ** 23)[:count]


def normal(count, *key):
    w = words(count, *key).astype(np.float64).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log((w[:, 0] + 1) * 2.0 ** -32)), 2 * np.pi * 2.0 ** -32 * w[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count].astype(np.float32).astype(np.float64)


# ---- the net of fixture M (attacks.md 4.5) -------------------------------------------------------------------------------

def lcg(state):
    while True:
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        yield (state >> 8) / 2.0 ** 24


def fixture():
    source = lcg(2)
    def take(*shape):
        return np.array([next(source) for _ in range(int(np.prod(shape)))]).reshape(shape)
    def single(a):
        return torch.from_numpy(a.astype(np.float32)).double()
    x = take(16, 192)
    weights = (take(24, 192) - .5) * .5, (take(24) - .5) * .1, (take(10, 24) - .5) * 2, (take(10) - .5) * .1
    return single(x), [single(w) for w in weights]


class Noisy:
    """z(v) of v = u + deviation * n, where n is named by whoever asks."""

    def __init__(self, weights, deviation, dtype):
        self.weights, self.deviation, self.dtype = [w.to(dtype) for w in weights], deviation, dtype

    def __call__(self, u, noise):
        v = (u + self.deviation * torch.from_numpy(noise)).float().to(self.dtype)
        w1, b1, w2, b2 = self.weights
        return v, lambda v: (torch.tanh(v @ w1.T + b1) @ w2.T + b2)

    def logits(self, u, noise):
        v, net = self(u, noise)
        return net(v).double()

    def gradient(self, u, noise, loss):
        v, net = self(u, noise)
        v.requires_grad_()
        z = net(v)
        leaf = z.detach().double().requires_grad_()
        value = loss(leaf)
        by_z, = torch.autograd.grad(value, leaf)
        g, = torch.autograd.grad(z, v, by_z.to(self.dtype))
        return leaf.detach(), float(value), g.double()


def ce(y):
    return lambda z: torch.logsumexp(z, 0) - z[y]


def dlr(y):
    def loss(z):
        top, order = z.sort(descending=True)
        other = top[1] if order[0] == y else top[0]
        return -(z[y] - other) / (top[0] - top[2] + GUARD)
    return loss


# ---- APGD on the mean of several gradients --------------------------------------------------------------------------------

def round_to_single(v):
    return v.float().double()


def project(u, x, eps, norm):
    if norm == "linf":
        return torch.max(torch.min(u, x + eps), x - eps).clamp(0, 1)
    d = u - x
    return (x + d / (d.norm() + GUARD) * min(eps, float(d.norm()))).clamp(0, 1)


def apgd(model, x, y, index, norm, eps, kind):
    """Whether any iterate was wrong in its last pass, and the latest such iterate."""
    size, epoch = len(x), IDS[kind] << 10
    loss = {"ce": ce, "dlr": dlr}[kind](y)

    def ask(u, question):
        total = 0
        for draw in range(DRAWS):
            z, value, g = model.gradient(u, normal(size, NOISE, epoch, index, draw, question), loss)
            total = total + g
        return z, value, total / DRAWS

    t = torch.from_numpy((symmetric if norm == "linf" else normal)(size, START, epoch, index, 0, 0))
    reach = float(t.abs().max() if norm == "linf" else t.norm())
    u = round_to_single((x + eps / (reach + GUARD) * t).clamp(0, 1))
    z, value, g = ask(u, 0)
    wrong = u if int(z.argmax()) != y else None
    best, best_g, best_value, step, previous = u, g, value, 2 * eps, u
    history, window, count, reduced, at_check = np.zeros(STEPS), int(.22 * STEPS), 0, True, value
    for i in range(STEPS):
        a = 1.0 if i == 0 else .75
        v = round_to_single(project(u + step * (g.sign() if norm == "linf" else g / (g.norm() + GUARD)), x, eps, norm))
        u, previous = round_to_single(project(u + a * (v - u) + (1 - a) * (u - previous), x, eps, norm)), u
        z, value, g = ask(u, i + 1)
        wrong = u if int(z.argmax()) != y else wrong
        history[i] = value
        if value > best_value:
            best, best_g, best_value = u, g, value
        count += 1
        if count < window:
            continue
        rises = sum(history[j] > history[j - 1] for j in range(i - window + 1, i + 1))
        reduced, at_check = rises <= .75 * window or (not reduced and at_check >= best_value), best_value
        if reduced:
            step, u, g = step / 2, best, best_g
        window, count = max(window - int(.03 * STEPS), int(.06 * STEPS)), 0
    return wrong


def rand(weights, x, norm, eps, deviation, dtype):
    """For each image: -2 where the clean pass is wrong already, else the stage that broke it, or -1; and whether any iterate looked wrong."""
    model = Noisy(weights, deviation, dtype)
    w1, b1, w2, b2 = weights
    labels = (torch.tanh(x @ w1.T + b1) @ w2.T + b2).argmax(1)
    broken, looked = [], []
    for i, (image, label) in enumerate(zip(x, labels.tolist())):
        clean = model.logits(image, normal(192, NOISE, 0, i, 0, 0))
        broken.append(-1 if int(clean.argmax()) == label else -2)
        looked.append([0, 0])
        for stage, kind in enumerate(("ce", "dlr")):
            if broken[i] != -1:
                break
            # An attack's own pass over the image: one that looks wrong in it is not attacked.
            first = int(model.logits(image, normal(192, DECISION, stage << 10, i, 0, 1)).argmax())
            found = apgd(model, image, label, i, norm, eps, kind) if first == label else None
            looked[i][stage] = int(found is not None) if first == label else -1
            # One pass decides, over the image itself where no iterate ever looked wrong.
            z = model.logits(image if found is None else found, normal(192, DECISION, stage << 10, i, 0, 0))
            if int(z.argmax()) != label:
                broken[i] = stage
    return np.array(broken), np.array(looked)


def main():
    x, weights = fixture()
    arrays = {}
    for norm, eps, deviation, count in CASES:
        name = f"{norm}-{eps}-{deviation}"
        broken, looked = rand(weights, x[:count], norm, eps, deviation, torch.float64)
        other, _ = rand(weights, x[:count], norm, eps, deviation, torch.float32)
        print(name, broken.tolist(), "single precision agrees" if (broken == other).all() else other.tolist(), looked.tolist())
        arrays |= {f"{name}/broken": broken.astype(np.int64), f"{name}/looked": looked.astype(np.int64)}
    write("rand.npz", arrays)


if __name__ == "__main__":
    main()
