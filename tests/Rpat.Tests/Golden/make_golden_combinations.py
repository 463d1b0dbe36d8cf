"""Makes methods/NAME.npz for variants and combinations of methods, in the world of make_golden_methods.py and in the same form.

Run as `/usr/bin/python3 make_golden_combinations.py [NAME...]`.  Here a method is written as it is composed: an attack, a loss of
(network, x'), and what happens around the gradient.  Setting `start` says where the attack begins: 0 clip(x + eps * noise),
1 x + eps/2 * noise, 2 x + eps * noise.
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

import make_golden_methods as plain
from make_golden_methods import (CLASSES, L2, RPAT, averaged, best_other, between_of, ce, copy_of, jsd, kernels, kl, margins, mart_parts, perception,
                                 prominence_mask, rpat_plus, soft_ce, swa_update, update_average)
from make_golden import stored, write
from make_golden_rand import philox

AT, NEAR, WIDE = {"start": 0}, {"start": 1}, {"start": 2}


# ---- attacks -----------------------------------------------------------------------------------------------------------------

def start_of(w, n):
    return (w.ball_start, w.near_start, w.wide_start)[int(w.set.start)](n)


def by_ce(w, n, see=None):
    return w.attack(start_of(w, n), lambda z: ce(z, w.y).sum(), see)


def by_kl(w, n):
    quiet = w.net.eval()(w.x).detach()
    return w.attack(start_of(w, n), lambda z: kl(quiet, z).sum())


def by_rising_kl(w, n):
    """Radius and step are epoch / rise of the case's."""
    start, whole, quiet = start_of(w, n), (w.set.eps, w.set.step), w.net.eval()(w.x).detach()
    w.set.eps, w.set.step = (value * min(1, w.set.epoch / w.set.rise) for value in whole)
    adversarial = w.attack(start, lambda z: kl(quiet, z).sum())
    w.set.eps, w.set.step = whole
    return adversarial


def by_teacher(w, n):
    """The teacher answers at every point of the attack, and the gradient passes through it too."""
    teacher = plain.build("teacher2", w.dtype).eval()
    w.net.eval()
    point = start_of(w, n)
    for _ in range(int(w.set.steps)):
        point = point.detach().requires_grad_()
        gradient, = torch.autograd.grad(kl(teacher(point), w.net(point)).sum(), point)
        w.watch(gradient)
        point = w.move(point.detach(), gradient)
    w.net.train()
    return stored(point).to(w.dtype)


def by_target(w, n):
    return w.attack(start_of(w, n), lambda z: soft_ce(z, w.extra["target"]).sum())


# ---- losses of a network at x' -------------------------------------------------------------------------------------------------

def at_loss(w, net, adversarial):
    b = net(adversarial)
    return {"total": ce(b, w.y).mean()}, None, b


def trades_loss(w, net, adversarial):
    a, b = net(w.x), net(adversarial)
    again = net(w.x) if getattr(w.set, "repeat", 1) else a
    return {"total": ce(a, w.y).mean() + w.set.beta * kl(again, b).mean()}, a, b


def mart_loss(w, net, adversarial):
    a, b = net(w.x), net(adversarial)
    bce, wkl = mart_parts(a, b, w.y)
    return {"total": bce.mean() + w.set.beta * wkl.mean()}, a, b


def mail_mart_loss(w, net, adversarial):
    a, b = net(w.x), net(adversarial)
    bce, wkl = mart_parts(a, b, w.y)
    return {"total": (margins(w, b.detach()) * bce).mean() + w.set.beta * wkl.mean()}, a, b


def mail_trades_loss(w, net, adversarial):
    a, b = net(w.x), net(adversarial)
    return {"total": ce(a, w.y).mean() + w.set.beta * (margins(w, b.detach()) * kl(a, b)).mean()}, a, b


def entropy_loss(w, net, adversarial):
    b = net(adversarial)
    entropy = -(b.softmax(1) * b.log_softmax(1)).sum(1).detach()
    weights = (entropy / entropy.mean() if w.set.relative else entropy) + w.set.one
    return {"total": (weights * ce(b, w.y)).mean()}, None, b


def geometry_loss(w, net, adversarial):
    b, kappa, steps = net(adversarial), w.extra["kappa"], w.set.steps
    argument = w.set.big_lambda + 5 * (1 - 2 * kappa / steps)
    omega = (torch.tanh(argument) / 2 + 0.5, torch.sigmoid(argument), (steps + 1 - kappa) / (steps + 1))[int(w.set.rule)]
    return {"total": (omega / omega.mean() * ce(b, w.y)).mean()}, None, b


def one_rest_loss(w, net, adversarial):
    b = net(adversarial)
    margin = (best_other(b, w.y) - b[torch.arange(w.batch), w.y]).detach()
    chosen = torch.zeros(w.batch, dtype=torch.bool)
    chosen[margin.argsort(descending=True)[:round(w.set.percent / 100 * w.batch)]] = True
    ovr = F.softplus((1 - 2 * F.one_hot(w.y, CLASSES).to(w.dtype)) * b).sum(1)
    return {"total": torch.where(chosen, w.set.weight * ovr, ce(b, w.y)).mean()}, None, b


def target_loss(w, net, adversarial):
    b = net(adversarial)
    return {"total": soft_ce(b, w.extra["target"]).mean()}, None, b


def target_trades_loss(w, net, adversarial):
    """Clean and adversarial images in one forward: one batch for the statistics."""
    a, b = net(torch.cat([w.x, adversarial])).chunk(2)
    return {"total": soft_ce(a, w.extra["target"]).mean() + w.set.beta * kl(a, b).mean()}, a, b


def memory_loss(w, net, adversarial):
    b = net(adversarial)
    return {"total": ce(b, w.y).mean() + ramp(w) * (b.softmax(1) - w.extra["memory"]).square().mean()}, None, b


def memory_trades_loss(w, net, adversarial):
    """The table is compared with the prediction at x."""
    a, b = net(w.x), net(adversarial)
    square = (a.softmax(1) - w.extra["memory"]).square().mean()
    return {"total": ce(a, w.y).mean() + w.set.beta * kl(a, b).mean() + ramp(w) * square}, a, b


def teachers_loss(w, net, adversarial):
    b, t = net(adversarial), w.set.temperature
    total = w.set.own * ce(b, w.y).mean()
    for label, weight in (("teacher1", w.set.first), ("teacher2", w.set.second)):
        with torch.no_grad():
            target = (plain.build(label, w.dtype).eval()(adversarial) / t).softmax(1)
        total = total + weight * t * t * soft_ce(b / t, target).mean()
    return {"total": total}, None, b


def views_loss(w, net, adversarial):
    half, b = w.batch // 2, net(adversarial)
    return {"total": ce(b, w.y).mean() + w.set.weight * jsd(b[:half], b[half:], w.set.temperature).mean()}, None, b


def rebat_loss(w, net, adversarial):
    b = net(adversarial)
    with torch.no_grad():
        target = averaged(w)(adversarial)
    return {"total": main_loss(w, b) + w.set.beta * kl(target, b).mean()}, None, b


def perception_teacher_loss(w, net, adversarial):
    b = net(adversarial)
    return {"total": main_loss(w, b) + w.set.beta * rpat_plus(w, averaged(w), adversarial, b).mean()}, None, b


def class_weights(w):
    """Rows of the table of the previous epoch, 1/K in the first; each step here is an epoch."""
    table = w.tables.get("classes", torch.full((CLASSES, CLASSES), 1 / CLASSES, dtype=w.dtype))
    return table[w.y] ** w.set.power


def gkl_loss(w, net, adversarial):
    """The decoupled divergence as its definition has it, over all pairs of classes."""
    b, a = net(adversarial), net(w.x)
    rows = class_weights(w)
    pairs = rows[:, :, None] * rows[:, None, :]
    gaps = (a[:, :, None] - a[:, None, :]) - (b[:, :, None] - b[:, None, :])
    squares = (pairs * gaps.square()).sum() / (4 * pairs.sum())
    shared = soft_ce(b, a.softmax(1).detach()).mean()
    w.extra["means"] = (a / w.set.temperature).softmax(1).detach()
    return {"total": ce(a, w.y).mean() + w.set.alpha_sce * shared + w.set.beta * squares}, a, b


def classes_after(w, n):
    """Classes without an image keep their row."""
    means = w.extra.pop("means")
    table = w.tables.get("classes", torch.full((CLASSES, CLASSES), 1 / CLASSES, dtype=w.dtype)).clone()
    for k in range(CLASSES):
        if (w.y == k).any():
            table[k] = means[w.y == k].mean(0)
    w.tables["classes"] = table
    w.set.epoch += 1


def taught_loss(w, net, adversarial):
    """AdaAD, and with a `matching` weight the divergence of the differences along the perturbation (IGDM)."""
    teacher, b = plain.build("teacher2", w.dtype).eval(), net(adversarial)
    behind = 2 * w.x - adversarial
    with torch.no_grad():
        at, before, clean = teacher(adversarial), teacher(behind), teacher(w.x)
    total = w.set.share * kl(at, b).mean()
    if w.set.share < 1:
        total = total + (1 - w.set.share) * kl(clean, net(w.x)).mean()
    if hasattr(w.set, "matching"):
        total = total + w.set.matching * w.set.epoch / w.set.rise * kl(at - before, b - net(behind)).mean()
    return {"total": total}, None, b


def smooth(z, target, share):
    """Cross-entropy against (1 - share) of the target and share of the uniform distribution."""
    return soft_ce(z, (1 - share) * target + share / CLASSES)


def smooth_trades_loss(w, net, adversarial):
    a, b = net(w.x), net(adversarial)
    return {"total": smooth(a, F.one_hot(w.y, CLASSES).to(w.dtype), w.set.smoothing).mean() + w.set.beta * kl(a, b).mean()}, a, b


def smooth_mixed_loss(w, net, adversarial):
    b = net(adversarial)
    return {"total": smooth(b, w.extra["target"], w.set.smoothing).mean()}, None, b


def main_loss(w, b):
    """Cross-entropy, with the mixed labels of CutMix where there are some."""
    return soft_ce(b, w.extra["target"]).mean() if "target" in w.extra else ce(b, w.y).mean()


def revision_loss(w, net, adversarial):
    """CURE in the paper's form; the revision network works with statistics of the batch."""
    revision = w.nets.setdefault("average", copy_of(w.net)).train()
    a, b = net(w.x), net(adversarial)
    with torch.no_grad():
        ra, rb = revision(w.x), revision(adversarial)
    parts = {"ce": ce(a, w.y).mean(), "ce_adv": ce(b, w.y).mean()}
    total = parts["ce"] + w.set.beta * kl(a, b).mean() + w.set.gamma * (kl(ra, a).mean() + kl(rb, b).mean())
    return {**parts, "total": total}, a, b


def raat_loss(w, net, adversarial):
    """Images at the boundary nearer to their clean versions; then the mixed views, of which those count that are right in both; then x."""
    half, (place, both, mix) = w.batch // 2, w.split
    supervised = ce(net(w.x + place * (adversarial - w.x)), w.y).mean()
    mixed = net(mix * adversarial[:half] + (1 - mix) * adversarial[half:])
    a = net(w.x)
    between = jsd(mixed, mix * a[:half] + (1 - mix) * a[half:], w.set.temperature)
    return {"total": supervised + w.set.weight * (both * between).sum() / both.sum()}, a, None


def with_perception(loss):
    """lambda * mean (z(x~) - (1 - alpha) z(x) - alpha z(x'))^2 on top: x~ comes behind the loss's own forwards, and x last if it is not there."""
    def both(w, net, adversarial):
        losses, a, b = loss(w, net, adversarial)
        u = net(between_of(w, adversarial))
        a = net(w.x) if a is None else a
        b = net(adversarial) if b is None else b
        return {**losses, "total": losses["total"] + w.set.lam * perception(a, u, b, w.set.alpha)}, a, b
    return both


# ---- targets and tables --------------------------------------------------------------------------------------------------------

def ramp(w):
    return 300 * np.exp(-5 * (1 - min(1, (w.set.epoch - 90) / 60)) ** 2)


def remember(w, n):
    table = w.tables.setdefault("predictions", torch.zeros(w.batch, CLASSES, dtype=w.dtype))
    with torch.no_grad():
        table.mul_(0.9).add_(w.net.eval()(w.x).softmax(1), alpha=0.1)
    w.extra["memory"] = table / table.sum(1, keepdim=True)


def by_memory(inner):
    def attack(w, n):
        remember(w, n)
        quiet = w.net.eval()(w.x).detach()
        first = (lambda z: w.set.beta * kl(quiet, z).mean()) if inner == "kl" else (lambda z: ce(z, w.y).mean())
        return w.attack(start_of(w, n), lambda z: first(z) + ramp(w) * (z.softmax(1) - w.extra["memory"]).square().mean())
    return attack


def annealed(w, n, name):
    """Half a cosine over the steps of the run; the first step is at its start."""
    first, last = getattr(w.set, f"{name}_start"), getattr(w.set, f"{name}_end")
    return last + (first - last) * (1 + np.cos(np.pi * (n - 1) / w.set.total)) / 2


def rectify(w, n):
    with torch.no_grad():
        q = (averaged(w)(w.x) / annealed(w, n, "temperature")).softmax(1)
    trust = (annealed(w, n, "share") - (q.max(1).values - q[torch.arange(w.batch), w.y])).clamp(0, 1)[:, None]
    w.extra["target"] = trust * q + (1 - trust) * F.one_hot(w.y, CLASSES).to(w.dtype)


def by_rectified(w, n):
    rectify(w, n)
    return by_target(w, n)


def by_rectified_kl(w, n):
    """TRADES's attack, in the mode of the case from its forward on x on."""
    rectify(w, n)
    quiet = w.net.train(bool(w.set.attack_train))(w.x).detach()
    return w.attack(start_of(w, n), lambda z: kl(quiet, z).sum())


def by_mixed(w, n):
    """CutMix's labels: shares (i + 1) / (B + 1) of the class, the rest of the class i + 1 further."""
    i = torch.arange(w.batch)
    share = ((i + 1) / (w.batch + 1)).to(torch.float32).to(w.dtype)[:, None]
    other = (w.y + 1 + i) % CLASSES
    w.extra["target"] = share * F.one_hot(w.y, CLASSES) + (1 - share) * F.one_hot(other, CLASSES)
    return by_target(w, n)


def by_views(w, n):
    w.y = w.y[:w.batch // 2].repeat(2)
    return by_ce(w, n)


def by_split(w, n):
    """RAAT: two views; an image is at the boundary if only its clean version is right, even after a share of the perturbation."""
    half = w.batch // 2
    if n == 1:
        guess = w.net.eval()(w.x).argmax(1)[:half]
        w.y = torch.where(torch.arange(half) % 4 == 3, (guess + 1) % CLASSES, guess).repeat(2)
    adversarial = w.attack(start_of(w, n), lambda z: ce(z, w.y).sum())
    w.net.eval()
    with torch.no_grad():
        right, near, far = (w.net(w.x + s * (adversarial - w.x)).argmax(1) == w.y for s in (0, w.set.reach, 1))
    w.net.train()
    edge, both = right & ~near & ~far, right[:half] & right[half:]
    if n == 1 and not (edge.any() and both.any() and not both.all() and (right & ~edge).any()):
        w.nearest = 0  # another batch: this one lacks a kind of image
    place = torch.where(edge, w.set.reach, 1.0).to(w.dtype)[:, None, None, None]
    w.split = place, both.to(w.dtype), larger_share(w.set.mix, int(w.set.epoch), n - 1)
    return adversarial


def larger_share(alpha, epoch, step):
    """max(b, 1 - b), b of Beta(alpha, alpha) by Marsaglia and Tsang from the engine's numbers of seed 1, which are Philox's."""
    blocks = np.arange(128, dtype=np.uint64)
    rest = [np.full_like(blocks, v) for v in (step, epoch << 12, 1 << 8 | 7)]
    words = np.stack(philox([blocks, *rest], (1, 0)), 1).reshape(-1).astype(np.uint32)
    uniform = (words >> 8) / 2.0 ** 24
    pairs = words.astype(np.float64).reshape(-1, 2)
    normal = (np.sqrt(-2 * np.log((pairs[:, 0] + 1) * 2.0 ** -32)) * np.cos(2 * np.pi * 2.0 ** -32 * pairs[:, 1])).astype(np.float32)

    def log_gamma(at):
        d = alpha + 1 - 1 / 3
        for i in range(63):
            x = float(normal[at // 2 + i])
            v = (1 + x / np.sqrt(9 * d)) ** 3
            if v > 0 and np.log(1 - uniform[at + 128 + i]) < x * x / 2 + d - d * v + d * np.log(v):
                return np.log(1 - uniform[at + 255]) / alpha + np.log(d * v)
    share = 1 / (1 + np.exp(log_gamma(256) - log_gamma(0)))
    return max(share, 1 - share)


def by_counting(w, n):
    kappa = torch.zeros(w.batch, dtype=w.dtype)
    w.extra["kappa"] = kappa
    return by_ce(w, n, lambda z: kappa.add_((z.argmax(1) == w.y).to(w.dtype)))


# ---- around the gradient -------------------------------------------------------------------------------------------------------

def step_of(attack, loss, after=None, mask=False):
    """One step: attack, weight perturbation where the case has a gamma, forwards in the loss's order, SGD, what comes after."""
    def step(w, n):
        if after in (average_after, warm_after):
            averaged(w)
        adversarial = attack(w, n)
        if getattr(w.set, "logs", 0):
            w.net.train()(adversarial)
        if hasattr(w.set, "rho"):
            kept = climb(w, loss, adversarial)
        moves = perturb(w, loss, adversarial) if hasattr(w.set, "awp") else []
        losses, _, _ = loss(w, w.net.train(), adversarial)
        if hasattr(w.set, "rho"):
            losses["total"].backward()
            w.net.load_state_dict(kept)
            w.sgd.step()
            return losses
        w.descend(losses["total"], prominence_mask(w, losses) if mask else None)
        with torch.no_grad():
            for parameter, move in moves:
                parameter -= move
        if "statistics" in w.extra:
            w.net.load_state_dict({**w.net.state_dict(), **w.extra.pop("statistics")})
        if getattr(w.set, "logs", 0):
            w.net(w.x)
        if after is not None:
            after(w, n)
        return losses
    return step


def perturb(w, loss, adversarial):
    """gamma * |w| * g / |g|; `everything`: of all parameters, and the running statistics are those of this pass at the weights themselves."""
    proxy = copy_of(w.net).train()
    loss(w, proxy, adversarial)[0]["total"].backward()
    chosen = (list(net.named_parameters()) if w.set.everything else kernels(net) for net in (w.net, proxy))
    moves = [(p, w.set.awp * p.detach().norm() * q.grad / (q.grad.norm() + 1e-20)) for (_, p), (_, q) in zip(*chosen)]
    w.extra["statistics"] = {name: value.clone() for name, value in proxy.state_dict().items() if "running" in name or "tracked" in name}
    if not w.set.everything:
        del w.extra["statistics"]
    with torch.no_grad():
        for parameter, move in moves:
            parameter += move
    return moves


def climb(w, loss, adversarial):
    """SAM: moves the weights by rho along the gradient of all of them; returns the state to go back to, statistics of this pass included."""
    w.sgd.zero_grad()
    loss(w, w.net.train(), adversarial)[0]["total"].backward()
    kept = {name: value.clone() for name, value in w.net.state_dict().items()}
    length = torch.sqrt(sum(p.grad.square().sum() for p in w.net.parameters()))
    with torch.no_grad():
        for parameter in w.net.parameters():
            parameter += w.set.rho * parameter.grad / (length + 1e-12)
    w.sgd.zero_grad()
    return kept


def average_after(w, n):
    update_average(w)


def warm_after(w, n):
    """n - 1 updates so far: a decay of at most n / (n + 9)."""
    ema, w.set.ema = w.set.ema, min(w.set.ema, n / (n + 9))
    update_average(w)
    w.set.ema = ema


def revision_after(w, n):
    decay = min(1 - 1 / (n + 1), w.set.ema)
    with torch.no_grad():
        for own, other in zip(w.nets["average"].parameters(), w.net.parameters()):
            own.mul_(decay).add_(other, alpha=1 - decay)


# ---- the cases -----------------------------------------------------------------------------------------------------------------

AVERAGE = {"ema": 0.9, "epoch": 106, "beta": 2.0}
TWO_L2 = {**L2, "box_first": 1}
ADR = {"temperature_start": 2.5, "temperature_end": 1.5, "share_start": 0.6, "share_end": 0.9, "total": 4, "ema": 0.9, "nesterov": 1, "attack_train": 1}
MAIL = {"slope": 2.0, "bias": 0.0, "beta": 5.0, "epoch": 77, **NEAR}
KD = {"own": 0.3, "first": 0.1, "second": 0.6, "temperature": 2.0, "attack_train": 1, "epoch": 56, **AT}
CURE = {"beta": 1.5, "gamma": 0.5, "mix": 0.3, "percentile": 0.5, "ema": 0.999, "code": 0, **NEAR}
AWP = {"awp": 0.01, "everything": 0}
RAAT = {"batch": 12, "weight": 1.5, "temperature": 0.5, "reach": 0.4, "mix": 0.75, "eps": 32 / 255, "step": 14 / 255, **AT}
GKL = {"alpha_sce": 4.0, "beta": 20.0, "power": 1.0, "temperature": 4.0, "rise": 8, "epoch": 4, "epochs": 1}


CASES = {
    # all blocks at once
    "trades+awp+ema+rpat": (step_of(by_kl, with_perception(trades_loss), average_after), {"beta": 6.0, "ema": 0.9, **AWP, **RPAT, **NEAR}),
    "mart+awp+rpat": (step_of(by_ce, with_perception(mart_loss)), {"beta": 6.0, **AWP, **RPAT, **NEAR}),
    "consistency-at+awp": (step_of(by_views, views_loss), {"batch": 12, "weight": 1.0, "temperature": 0.5, **AWP, **AT}),
    "awp+rpat": (step_of(by_ce, with_perception(at_loss)), {"attack_train": 1, **AWP, **RPAT, **AT}),
    # the perception term on other methods
    "rebat+rpat": (step_of(by_ce, with_perception(rebat_loss), average_after), {**AVERAGE, **RPAT, **AT}),
    "mail-trades+rpat": (step_of(by_kl, with_perception(mail_trades_loss)), {**MAIL, **RPAT}),
    "te+rpat": (step_of(by_memory("ce"), with_perception(memory_loss)), {"epoch": 151, **RPAT, **WIDE}),
    "ewat+rpat": (step_of(by_ce, with_perception(entropy_loss)), {"one": 1, "relative": 1, **RPAT, **AT}),
    "sovr+rpat": (step_of(by_ce, with_perception(one_rest_loss)), {"percent": 50.0, "weight": 0.4, **RPAT, **AT}),
    "adr+rpat": (step_of(by_rectified, with_perception(target_loss), average_after), {**ADR, **RPAT, **AT}),
    "kd-swa+rpat": (step_of(by_ce, with_perception(teachers_loss), swa_update), {**KD, **RPAT}),
    "cure+rpat": (step_of(by_kl, with_perception(revision_loss), revision_after, mask=True), {**CURE, **RPAT}),
    # variants
    "trades-once": (step_of(by_kl, trades_loss), {"beta": 6.0, "repeat": 0, **NEAR}),
    "te-first": (step_of(by_memory("ce"), memory_loss), {"epoch": 90, **WIDE}),
    "te-trades": (step_of(by_memory("kl"), memory_trades_loss), {"epoch": 110, "beta": 6.0, **NEAR}),
    "adr-annealed": (step_of(by_rectified, target_loss, average_after), {**ADR, **AT}),
    "adr-awp": (step_of(by_rectified, target_loss, average_after), {**ADR, "awp": 0.005, "everything": 1, **AT}),
    "adr-trades": (step_of(by_rectified_kl, target_trades_loss, average_after), {**ADR, "beta": 6.0, **NEAR}),
    "mail-mart": (step_of(by_ce, mail_mart_loss), MAIL),
    "gairat-sigmoid": (step_of(by_counting, geometry_loss), {"big_lambda": -1.0, "rule": 1, "epoch": 61, **AT}),
    "gairat-discrete": (step_of(by_counting, geometry_loss), {"big_lambda": -1.0, "rule": 2, "epoch": 61, **AT}),
    "ewat-share": (step_of(by_ce, entropy_loss), {"one": 0, "relative": 1, **AT}),
    "ewat-entropy": (step_of(by_ce, entropy_loss), {"one": 1, "relative": 0, **AT}),
    "rebat-logs": (step_of(by_ce, rebat_loss, average_after), {**AVERAGE, "attack_train": 1, "logs": 1, **AT}),
    "rebat-dependent": (step_of(by_ce, rebat_loss, average_after), {**AVERAGE, "epoch": 120, "beta": 0.5, "rate": 0.05, "top": 0.1, **AT}),
    "rebat-cutmix": (step_of(by_mixed, rebat_loss, average_after), {**AVERAGE, **AT}),
    "rpat++-cutmix": (step_of(by_mixed, perception_teacher_loss, average_after), {**AVERAGE, "alpha": 0.5, **AT}),
    "awp-logs": (step_of(by_ce, at_loss), {"attack_train": 1, "logs": 1, **AWP, **AT}),
    # the decoupled divergence: each step is an epoch, so that the second one has the first one's table
    "gkl": (step_of(by_rising_kl, gkl_loss, classes_after), {**GKL, **NEAR}),
    "gkl+rpat": (step_of(by_rising_kl, with_perception(gkl_loss), classes_after), {**GKL, "power": 0.2, "temperature": 1.0, **RPAT, **NEAR}),
    "gkl+awp": (step_of(by_rising_kl, gkl_loss, classes_after), {**GKL, **AWP, **NEAR}),
    # distillation from a robust teacher
    "adaad": (step_of(by_teacher, taught_loss), {"share": 0.8, **NEAR}),
    "adaad+rpat": (step_of(by_teacher, with_perception(taught_loss)), {"share": 1.0, **RPAT, **NEAR}),
    "igdm": (step_of(by_teacher, taught_loss), {"share": 1.0, "matching": 20.0, "rise": 200, "epoch": 50, **NEAR}),
    "igdm+rpat": (step_of(by_teacher, with_perception(taught_loss)), {"share": 1.0, "matching": 2.0, "rise": 10, "epoch": 5, **RPAT, **NEAR}),
    # two views, split by what the network says of them
    "raat": (step_of(by_split, raat_loss), RAAT),
    "raat+rpat": (step_of(by_split, with_perception(raat_loss)), {**RAAT, **RPAT}),
    # on top of others
    "rpat++awp": (step_of(by_ce, perception_teacher_loss, average_after), {**AVERAGE, "alpha": 0.5, **AWP, **AT}),
    "pgd-at+sam": (step_of(by_ce, at_loss), {"rho": 0.05, **AT}),
    "trades-smooth": (step_of(by_kl, smooth_trades_loss, warm_after), {"beta": 5.0, "repeat": 0, "smoothing": 0.1, "ema": 0.995, "nesterov": 1, **NEAR}),
    "pgd-at-smooth-cutmix": (step_of(by_mixed, smooth_mixed_loss), {"smoothing": 0.1, **AT}),
    # L2, each attack with its own order of the projections
    "mart-l2": (step_of(by_ce, mart_loss), {"beta": 6.0, **L2, **NEAR}),
    "consistency-at-l2": (step_of(by_views, views_loss), {"batch": 12, "weight": 1.0, "temperature": 0.5, **TWO_L2, **AT}),
    "awp-l2": (step_of(by_ce, at_loss), {"attack_train": 1, **AWP, **L2, **AT}),
    "te-l2": (step_of(by_memory("ce"), memory_loss), {"epoch": 110, **L2, **NEAR}),
    "kd-swa-l2": (step_of(by_ce, teachers_loss, swa_update), {**KD, **TWO_L2}),
    "adr-l2": (step_of(by_rectified, target_loss, average_after), {**ADR, **TWO_L2, **AT}),
    "cure-l2": (step_of(by_kl, revision_loss, revision_after, mask=True), {**CURE, **L2}),
    "mma-l2": (plain.step_mma, {"hinge": 1.5, "least": 0.5, "share": 1 / 3, "steps": 10, "norm": 1}),
}


def shaken(label, dtype):
    """As plain.build, every value off by up to 2e-6 of itself."""
    net = BUILD(label, dtype)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter *= 1 + 2e-6 * (2 * torch.rand(parameter.shape, dtype=dtype) - 1)
    return net


BUILD = plain.build


def make(name):
    """The first batch on which float32 agrees, and on which shaken weights move nothing by 1e-5: no sign, no ReLU hangs on rounding."""
    for attempt in range(1, 2000):
        golden, nearest = plain.run(name, attempt, torch.float64)
        if nearest < 1e-4 or plain.distance(plain.run(name, attempt, torch.float32)[0], golden) > plain.AGREE:
            continue
        plain.build = shaken
        apart = plain.distance(plain.run(name, attempt, torch.float64)[0], golden)
        plain.build = BUILD
        if apart < 1e-5:
            print(f"  {name}: attempt {attempt}, shaken within {apart:.1e}, nearest gradient {nearest:.1e}", flush=True)
            return golden
    raise RuntimeError(f"{name}: no batch on which rounding decides nothing")


def main():
    torch.set_num_threads(1)
    plain.CASES.update(CASES)
    for name in sys.argv[1:] or CASES:
        write(f"methods/{name}.npz", make(name))


if __name__ == "__main__":
    main()
