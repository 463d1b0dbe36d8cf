"""Makes models/NAME.npz with PyTorch in double precision: every model family, narrow, in eval and train mode.

Run as `/usr/bin/python3 make_golden_models.py [NAME ...]`; README.md says what each array is.  Parameters follow from the formula of
make_golden.py, so none are stored.
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

from make_golden import fill_named, random_images, samples, single, stored, sums, write, HERE, WHOLE_UP_TO
from models import ActivatedBlock, BasicBlock, Bottleneck, MobileNetV2, PreActResNet, ResNet, Vgg16, WideResNet

sys.dont_write_bytecode = True

NOISE = 2e-6

MODELS = {
    # name: (maker, batch of images)
    "preactresnet18": (lambda: PreActResNet(width=4), (4, 3, 24, 24)),
    "preactresnet18-benchmarks": (lambda: ResNet(ActivatedBlock, width=4, classes=7), (4, 3, 32, 32)),
    "preactresnet18-benchmarks-64": (lambda: ResNet(ActivatedBlock, width=4, stem_stride=2), (4, 3, 64, 64)),
    "resnet18": (lambda: ResNet(BasicBlock, width=5), (4, 3, 32, 32)),
    "resnet18-bottleneck": (lambda: ResNet(Bottleneck, width=3, channels=1), (4, 1, 28, 28)),
    "wideresnet16-1": (lambda: WideResNet(depth=16, widen=1), (4, 3, 16, 16)),
    "vgg16": (lambda: Vgg16(width=3), (4, 3, 32, 32)),
    "vgg16-64": (lambda: Vgg16(width=3, classes=20), (4, 3, 64, 64)),
    "vgg16-28": (lambda: Vgg16(width=3, channels=1), (4, 1, 28, 28)),
    "mobilenetv2": (lambda: MobileNetV2(width=4), (4, 3, 16, 16)),
}


def train(net, images):
    """Train-mode logits and gradients of the mean cross-entropy."""
    logits = net.train()(images)
    labels = torch.arange(len(images)) * 3 % logits.shape[1]
    return logits, dict(zip((n for n, _ in net.named_parameters()), torch.autograd.grad(F.cross_entropy(logits, labels), list(net.parameters()))))


def is_smooth(make, name, images, gradients):
    """Whether rounding cannot flip a ReLU or a maximum: weights moved by NOISE of themselves change no gradient by 5e-4 of its norm."""
    noise = 5e-7 if name == "mobilenetv2" else NOISE  # 54 batch norms of random statistics: few batches are far from every kink
    for trial in range(6):
        net = fill_named(make().double(), name)
        torch.manual_seed(trial)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.mul_(1 + noise * torch.randn_like(parameter))
        moved = train(net, images)[1]
        if any((moved[n] - g).norm() > 5e-4 * g.norm() for n, g in gradients.items() if g.norm() > 1e-9):
            return False
    return True


def record(name, make, shape):
    for attempt in range(200):
        images = stored(random_images(f"{name}/images{attempt}", *shape))
        net = fill_named(make().double(), name)
        arrays = {"attempt": np.int64(attempt), "eval": single(net.eval()(images))}
        logits, gradients = train(net, images)
        if is_smooth(make, name, images, gradients):
            break
    else:
        raise SystemExit(f"{name}: no batch keeps clear of every kink; take a narrower net")
    arrays["shape"], arrays["train"] = np.array([*shape, logits.shape[1]]), single(logits)
    for parameter_name, gradient in gradients.items():
        arrays[f"gradient/{parameter_name}"] = samples(gradient)
        if gradient.numel() > WHOLE_UP_TO:
            arrays[f"sums/{parameter_name}"] = sums(gradient)
    arrays["parameters"] = np.int64(sum(p.numel() for p in net.parameters()))
    print(name, "batch", attempt)
    return arrays


def main():
    torch.set_num_threads(1)
    (HERE / "models").mkdir(exist_ok=True)
    for name in sys.argv[1:] or MODELS:
        make, shape = MODELS[name]
        write(f"models/{name}.npz", record(name, make, shape))


if __name__ == "__main__":
    main()
