"""Makes the golden files of this folder with PyTorch in double precision: golden_step.npz, golden_eval.npz, golden_losses.npz.

Run as `/usr/bin/python3 make_golden.py` (Debian: apt-get install python3-torch).  README.md says what each array is.
Two runs give the same bytes.  Network parameters are not stored: they follow from the formula in `fill`, so that the
files stay small; everything else that a test needs as input is stored as float32 and used in the reference as stored.
"""
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[2] / "benchmarks" / "peer"))
from models import PreActResNet  # noqa: E402  (the folder has to be on the path first)

EPSILON, STEP, ITERATIONS = 8 / 255, 2 / 255, 10
ALPHA, LAMBDA = 0.5, 1.0
RATE, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
WHOLE_UP_TO, STRIDE = 1024, 32


# ---- the parameter formula ---------------------------------------------------------------------------------------------

def uniform(key, count):
    """`count` numbers of [0, 1) on a grid of 2^-24: the SplitMix64 stream whose seed is the FNV-1a hash of the key's UTF-8."""
    seed = 0xCBF29CE484222325
    for byte in key.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-24


def bounds(name, shape, linear):
    """Range of a tensor's values: PyTorch's default initialisation for weights, randomised batch-norm parameters and statistics."""
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        return 0.5, 1.5
    if len(shape) == 1 and not name.startswith("linear"):
        return -0.25, 0.25
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else linear
    bound = 1 / fan_in**0.5
    return -bound, bound


def fill(net, label):
    """Sets every parameter and statistic: low + (high - low) * uniform(label/name), in double, rounded to float32."""
    return fill_named(net, label, net.linear.in_features)


def fill_named(net, label, linear=16):
    """As `fill`, for a net whose last layer may have another name; biases are then those of 16 inputs."""
    for name, tensor in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        low, high = bounds(name, tuple(tensor.shape), linear)
        values = low + (high - low) * uniform(f"{label}/{name}", tensor.numel())
        tensor.copy_(torch.from_numpy(values.astype(np.float32)).double().reshape(tensor.shape))
    return net


def random_images(key, *shape):
    return torch.from_numpy(uniform(key, int(np.prod(shape)))).reshape(shape)


# ---- writing -----------------------------------------------------------------------------------------------------------

def single(tensor):
    return np.asarray(tensor.detach()).astype(np.float32)


def stored(tensor):
    """The tensor as a test will read it: rounded to float32, then double again."""
    return tensor.detach().float().double()


def write(name, arrays):
    """Temporary file in the same folder, flushed to disk, renamed: never half a file."""
    temporary = HERE / f"{name}.tmp-{os.getpid()}"
    with open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, HERE / name)
    print(f"{name}: {len(arrays)} arrays, {(HERE / name).stat().st_size} bytes")


# ---- one training step, twice -------------------------------------------------------------------------------------------

def attack(net, images, labels, noise):
    """PGD-10, L-infinity, eval mode.  Returns x', the first input gradient and how near any deciding gradient came to zero."""
    net.eval()
    point, first, nearest = (images + noise).clamp(0, 1), None, np.inf
    for _ in range(ITERATIONS):
        point.requires_grad_()
        gradient, = torch.autograd.grad(F.cross_entropy(net(point), labels), point)
        first = gradient if first is None else first
        nearest = min(nearest, (gradient.abs().min() / gradient.abs().mean()).item())
        delta = (point.detach() + STEP * gradient.sign() - images).clamp(-EPSILON, EPSILON)
        point = (images + delta).clamp(0, 1)
    return point.detach(), first, nearest


def training_step(net, optimizer, images, adversarial, labels):
    """PGD-AT + RPAT, code form: forwards x', x~, x in train mode, one backward, one SGD step.  Returns logits and losses."""
    net.train()
    between = images + ALPHA * (adversarial - images)
    logits = {"adversarial": net(adversarial), "between": net(between), "clean": net(images)}
    ce = F.cross_entropy(logits["adversarial"], labels)
    residual = logits["between"] - (1 - ALPHA) * logits["clean"] - ALPHA * logits["adversarial"]
    rpat = residual.square().mean()
    optimizer.zero_grad()
    (ce + LAMBDA * rpat).backward()
    optimizer.step()
    return logits, {"ce": ce, "rpat": rpat, "total": ce + LAMBDA * rpat}


def samples(tensor):
    """Every entry of a small tensor, every thirty-second of a large one (flat, row-major, from entry 0)."""
    flat = tensor.detach().flatten()
    return single(flat if flat.numel() <= WHOLE_UP_TO else flat[::STRIDE])


def sums(tensor):
    """Sum and sum of squares over all entries, so that an error between the samples shows."""
    flat = tensor.detach().flatten()
    return np.array([flat.sum().item(), flat.square().sum().item()])


def record_step(arrays, number, net, logits, losses):
    arrays.update({f"logits{number}/{name}": single(value) for name, value in logits.items()})
    arrays.update({f"loss{number}/{name}": np.float64(value.item()) for name, value in losses.items()})
    for name, parameter in net.named_parameters():
        arrays[f"weight{number}/{name}"] = samples(parameter)
        if parameter.numel() > WHOLE_UP_TO:
            arrays[f"weight{number}_sums/{name}"] = sums(parameter)
    arrays.update({f"statistics{number}/{name}": single(value) for name, value in net.named_buffers() if value.ndim > 0})
    arrays[f"batches_tracked{number}"] = net.bn.num_batches_tracked.numpy().copy()


def make_step(label="w8", dtype=torch.float64):
    """The arrays of golden_step.npz; with dtype float32 the same run in single precision, for `compare_single`."""
    net = fill(PreActResNet(width=8, blocks=2).double(), label).to(dtype)
    images = random_images(f"{label}/images", 4, 3, 16, 16).to(dtype)
    noise = stored(EPSILON * (2 * random_images(f"{label}/noise", 4, 3, 16, 16) - 1)).to(dtype)
    labels = torch.tensor([3, 0, 9, 5])
    adversarial, input_gradient, nearest = attack(net, images, labels, noise)
    arrays = {"images": single(images), "noise": single(noise), "labels": labels.numpy(), "adversarial": single(adversarial),
              "input_gradient": single(input_gradient), "nearest_gradient": np.float64(nearest),
              "settings": np.array([EPSILON, STEP, ITERATIONS, ALPHA, LAMBDA, RATE, MOMENTUM, DECAY])}
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    for number in (1, 2):
        logits, losses = training_step(net, optimizer, images, stored(adversarial).to(dtype), labels)
        if number == 1:
            arrays.update({f"gradient/{name}": single(value.grad) for name, value in net.named_parameters()})
        record_step(arrays, number, net, logits, losses)
    return arrays


def compare_single(golden):
    """Prints how far a single-precision run of PyTorch itself is from the golden numbers: what a test may tolerate."""
    worst = {}
    for name, value in make_step(dtype=torch.float32).items():
        group, reference = name.split("/")[0], golden[name].astype(np.float64)
        distance = np.abs(value.astype(np.float64) - reference).max() / max(np.abs(reference).max(), 1e-30)
        worst[group] = max(worst.get(group, (0, "")), (distance, name))
    for group, (distance, name) in worst.items():
        print(f"  {group}: largest error of float32 / largest entry {distance:.1e} ({name})")
    print(f"  nearest gradient to zero in the attack / mean: {golden['nearest_gradient']:.1e}")


# ---- eval-mode logits --------------------------------------------------------------------------------------------------

def make_eval(label, shape, **architecture):
    net = fill(PreActResNet(**architecture, channels=shape[1]).double(), label).eval()
    images = stored(random_images(f"{label}/images", *shape)).requires_grad_()
    labels = torch.arange(shape[0]) * 3 % 10
    logits = net(images)
    gradient, = torch.autograd.grad(F.cross_entropy(logits, labels), images)
    return {f"{label}/images": single(images), f"{label}/labels": labels.numpy(), f"{label}/logits": single(logits),
            f"{label}/input_gradient": single(gradient),
            f"{label}/parameters": np.int64(sum(parameter.numel() for parameter in net.parameters()))}


# ---- losses --------------------------------------------------------------------------------------------------------------

def with_gradients(arrays, name, loss, **inputs):
    arrays[name] = np.float64(loss.item())
    gradients = torch.autograd.grad(loss, list(inputs.values()))
    arrays.update({f"{name}/d_{key}": gradient.numpy() for key, gradient in zip(inputs, gradients)})


def divergence(target, other):
    """KL(softmax(target) || softmax(other)): mean over samples of the sum over classes, from log-softmax of both."""
    log_target, log_other = F.log_softmax(target, 1), F.log_softmax(other, 1)
    return (log_target.exp() * (log_target - log_other)).sum(1).mean()


def rpat_code(clean, between, adversarial, alpha):
    return (between - (1 - alpha) * clean - alpha * adversarial).square().mean()


def rpat_quotients(clean, between, adversarial, alpha):
    return F.mse_loss((between - clean) / alpha, (adversarial - between) / (1 - alpha))


def loss_case(case, scale, batch, classes):
    arrays, logits = {}, {}
    for name in ("clean", "between", "adversarial"):
        values = uniform(f"{case}/{name}", batch * classes).reshape(batch, classes)
        logits[name] = stored(torch.from_numpy(scale * (2 * values - 1))).requires_grad_()
        arrays[f"{case}/{name}"] = single(logits[name])
    labels = torch.arange(batch) * 7 % classes
    arrays[f"{case}/labels"] = labels.numpy()
    clean, adversarial = logits["clean"], logits["adversarial"]
    with_gradients(arrays, f"{case}/ce", F.cross_entropy(adversarial, labels), adversarial=adversarial)
    with_gradients(arrays, f"{case}/kl_clean_adversarial", divergence(clean, adversarial), clean=clean, adversarial=adversarial)
    with_gradients(arrays, f"{case}/kl_adversarial_clean", divergence(adversarial, clean), clean=clean, adversarial=adversarial)
    with_gradients(arrays, f"{case}/mse", F.mse_loss(clean, adversarial), clean=clean, adversarial=adversarial)
    for alpha in (0.5, 0.3):
        with_gradients(arrays, f"{case}/rpat_code_{alpha}", rpat_code(**logits, alpha=alpha), **logits)
        with_gradients(arrays, f"{case}/rpat_quotients_{alpha}", rpat_quotients(**logits, alpha=alpha), **logits)
    return arrays


def main():
    torch.set_num_threads(1)
    step = make_step()
    write("golden_step.npz", step)
    compare_single(step)
    write("golden_eval.npz", {**make_eval("w8", (4, 3, 16, 16), width=8, blocks=2),
                              **make_eval("quick", (3, 1, 28, 28), width=16, blocks=1)})
    write("golden_losses.npz", {**loss_case("small", 3, 5, 10), **loss_case("large", 60, 6, 10), **loss_case("wide", 4, 2, 100)})


if __name__ == "__main__":
    main()
