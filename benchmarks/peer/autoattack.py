"""AutoAttack's standard version for L-infinity in PyTorch, written from its description: whole batches in lockstep, as is usual there.

Samples leave the working set between attacks, targets and (in Square) iterations, never inside a run of APGD or FAB.
"""
import math

import torch

GUARD = 1e-12


class Counter:
    """A network that counts the rows it evaluates, and those with a gradient."""

    def __init__(self, net):
        self.net, self.forwards, self.backwards = net, 0, 0

    def logits(self, x):
        self.forwards += len(x)
        with torch.no_grad():
            return self.net(x)

    def gradient(self, x, loss):
        self.forwards += len(x)
        self.backwards += len(x)
        x = x.detach().requires_grad_()
        z = self.net(x)
        value = loss(z)
        gradient, = torch.autograd.grad(value.sum(), x)
        return z.detach(), value.detach(), gradient


def cross_entropy(y):
    return lambda z: torch.nn.functional.cross_entropy(z, y, reduction="none")


def targeted_dlr(y, t):
    def loss(z):
        top = z.sort(dim=1, descending=True)[0]
        gap = z.gather(1, y[:, None]) - z.gather(1, t[:, None])
        return -(gap[:, 0]) / (top[:, 0] - 0.5 * (top[:, 2] + top[:, 3]) + GUARD)
    return loss


def apgd(model, x, y, eps, loss, steps=100):
    """One run; returns who is still right and the points."""
    shape = (-1, 1, 1, 1)
    t = 2 * torch.rand_like(x) - 1
    u = (x + eps * t / t.flatten(1).abs().max(1)[0].view(shape)).clamp(0, 1)
    z, value, g = model.gradient(u, loss)
    right, adversarial = z.argmax(1) == y, u.clone()
    best, best_g, best_value = u.clone(), g.clone(), value.clone()
    step = torch.full((len(x),), 2 * eps)
    previous, history = u.clone(), torch.zeros(steps, len(x))
    window, least, shrink = max(int(.22 * steps), 1), max(int(.06 * steps), 1), max(int(.03 * steps), 1)
    count, reduced, at_check = 0, torch.ones(len(x), dtype=torch.bool), value.clone()
    low, high = (x - eps).clamp(min=0), (x + eps).clamp(max=1)
    for i in range(steps):
        move, previous = u - previous, u
        mix = 1.0 if i == 0 else 0.75
        v = torch.max(torch.min(u + step.view(shape) * g.sign(), high), low)
        u = torch.max(torch.min(u + mix * (v - u) + (1 - mix) * move, high), low)
        z, value, g = model.gradient(u, loss)
        wrong = z.argmax(1) != y
        right &= ~wrong
        adversarial[wrong] = u[wrong]
        history[i] = value
        better = value > best_value
        best[better], best_g[better], best_value[better] = u[better], g[better], value[better]
        count += 1
        if count == window:
            rises = sum((history[i - j] > history[i - j - 1]).float() for j in range(window))
            halve = (rises <= .75 * window) | (~reduced & (at_check >= best_value))
            reduced, at_check = halve, best_value.clone()
            step[halve] /= 2
            u, g = u.clone(), g.clone()
            u[halve], g[halve] = best[halve], best_g[halve]
            window, count = max(window - shrink, least), 0
    return right, adversarial


def project(z, w, b):
    """The smallest move, in the largest value, of z [n, D] onto w.v = b inside the box."""
    rest = (w * z).sum(1) - b
    sign = torch.where(rest < 0, -1.0, 1.0)
    rest, w = rest.abs(), w * sign[:, None]
    a, room = w.abs(), torch.where(w > 0, z, 1 - z)
    room_sorted, order = room.sort(1)
    a_sorted = a.gather(1, order)
    used = torch.cumsum(a_sorted * room_sorted, 1) - a_sorted * room_sorted
    slope = a_sorted.flip(1).cumsum(1).flip(1)
    reached = (used + slope * room_sorted >= rest[:, None]) & (a_sorted > 0)
    first = reached.float().argmax(1, keepdim=True)
    level = (rest - used.gather(1, first)[:, 0]) / slope.gather(1, first)[:, 0].clamp(min=GUARD)
    level = torch.where(reached.any(1), level, torch.full_like(level, 2.0))
    return -w.sign() * torch.min(level[:, None].expand_as(room), room)


def fab(model, x, y, eps, rank, steps=100):
    """FAB-T against the class of a rank; returns who is still right and the points."""
    model.logits(x)
    t = model.logits(x).sort(1, descending=True)[1][:, rank - 1]
    flat, u = x.flatten(1), x.flatten(1).clone()
    least, found = torch.full((len(x),), 1e10), flat.clone()
    for _ in range(steps):
        _, gap, w = model.gradient(u.view_as(x), lambda z: (z.gather(1, t[:, None]) - z.gather(1, y[:, None]))[:, 0])
        w = w.flatten(1)
        b = (w * u).sum(1) - gap
        moves = project(torch.cat([u, flat]), torch.cat([w, w]), torch.cat([b, b]))
        here, image = moves.chunk(2)
        a1, a2 = here.abs().max(1)[0].clamp(min=1e-8), image.abs().max(1)[0].clamp(min=1e-8)
        bias = (a1 / (a1 + a2)).clamp(0, .1)[:, None]
        u = ((1 - bias) * (u + 1.05 * here) + bias * (flat + 1.05 * image)).clamp(0, 1)
        wrong = model.logits(u.view_as(x)).argmax(1) != y
        norm = (u - flat).abs().max(1)[0]
        better = wrong & (norm < least)
        least[better], found[better] = norm[better], u[better]
        u = torch.where(wrong[:, None], flat + .9 * (u - flat), u)
    wrong = model.logits(found.view_as(x)).argmax(1) != y
    return ~(wrong & (least <= eps)), found.view_as(x)


def margins(z, y):
    own = z.gather(1, y[:, None])[:, 0]
    return own - z.scatter(1, y[:, None], -math.inf).max(1)[0]


def square(model, x, y, eps, queries=5000, first=0.8):
    n, c, h, w = x.shape
    u = (x + eps * (2 * torch.rand(n, c, 1, w) - 1).sign()).clamp(0, 1)
    margin = margins(model.logits(u), y)
    for i in range(queries):
        alive = (margin > 0).nonzero()[:, 0]
        if len(alive) == 0:
            break
        share = first / 2 ** sum(i > k for k in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000))
        side = min(max(round(math.sqrt(share * h * w)), 1), h, w)
        top, left = int((h - side) * torch.rand(1)), int((w - side) * torch.rand(1))
        v, base = u[alive].clone(), x[alive]
        v[:, :, top:top + side, left:left + side] += 2 * eps * (2 * torch.rand(c, 1, 1) - 1).sign()
        v = torch.min(torch.max(v, base - eps), base + eps).clamp(0, 1)
        new = margins(model.logits(v), y[alive])
        better = (new < margin[alive]) | (new <= 0)
        u[alive[better]], margin[alive[better]] = v[better], new[better]
    return model.logits(u).argmax(1) == y, u


def autoattack(net, x, y, eps, batch, classes):
    """Who is right without and under attack, and the counter of evaluations."""
    model = Counter(net)
    targets = min(9, classes - 1)

    def run(attack, robust):
        for chunk in robust.nonzero()[:, 0].split(batch):
            model.logits(x[chunk])
            left = chunk
            for part in attack:
                if len(left):
                    left = left[part(x[left], y[left])]
            robust[chunk] = False
            robust[left] = True

    def apgd_t(rank):
        def part(a, b):
            t = model.logits(a).sort(1, descending=True)[1][:, rank - 1]
            return apgd(model, a, b, eps, targeted_dlr(b, t))[0]
        return part

    clean = torch.cat([model.logits(part).argmax(1) for part in x.split(batch)]) == y
    robust, stages = clean.clone(), []
    for attack in ([lambda a, b: apgd(model, a, b, eps, cross_entropy(b))[0]],
                   [apgd_t(rank) for rank in range(2, targets + 2)],
                   [lambda a, b, rank=rank: fab(model, a, b, eps, rank)[0] for rank in range(2, targets + 2)],
                   [lambda a, b: square(model, a, b, eps)[0]]):
        run(attack, robust)
        stages.append(int(robust.sum()))
    return clean, robust, stages, model
