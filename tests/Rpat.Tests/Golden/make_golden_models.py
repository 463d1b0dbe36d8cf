"""Makes models/NAME.npz with PyTorch in double precision: every model family, narrow, in eval and train mode.

Run as `/usr/bin/python3 make_golden_models.py`; README.md says what each array is.  Parameters follow from the formula of
make_golden.py, so none are stored.
"""
import sys

import torch
from torch.nn import functional as F

from make_golden import fill_named, random_images, samples, single, stored, sums, write, HERE, WHOLE_UP_TO
from models import ActivatedBlock, BasicBlock, Bottleneck, MobileNetV2, PreActResNet, ResNet, Vgg16, WideResNet

sys.dont_write_bytecode = True

MODELS = {
    # name: (maker, batch of images)
    "preactresnet18": (lambda: PreActResNet(width=4), (8, 3, 32, 32)),
    "preactresnet18-benchmarks": (lambda: ResNet(ActivatedBlock, width=4, classes=7), (8, 3, 32, 32)),
    "preactresnet18-benchmarks-64": (lambda: ResNet(ActivatedBlock, width=4, stem_stride=2), (6, 3, 64, 64)),
    "resnet18": (lambda: ResNet(BasicBlock, width=5), (8, 3, 32, 32)),
    "resnet18-bottleneck": (lambda: ResNet(Bottleneck, width=3, channels=1), (8, 1, 28, 28)),
    "wideresnet16-1": (lambda: WideResNet(depth=16, widen=1), (8, 3, 32, 32)),
    "vgg16": (lambda: Vgg16(width=3), (8, 3, 32, 32)),
    "vgg16-64": (lambda: Vgg16(width=3, classes=20), (8, 3, 64, 64)),
    "vgg16-28": (lambda: Vgg16(width=3, channels=1), (8, 1, 28, 28)),
    "mobilenetv2": (lambda: MobileNetV2(width=4), (8, 3, 32, 32)),
}


def record(name, make, shape):
    net = fill_named(make().double(), name)
    images = stored(random_images(f"{name}/images", *shape))
    logits = net.eval()(images)
    labels = torch.arange(shape[0]) * 3 % logits.shape[1]
    arrays = {"shape": torch.tensor([*shape, logits.shape[1]]).numpy(), "eval": single(logits)}
    logits = net.train()(images)
    F.cross_entropy(logits, labels).backward()
    arrays["train"] = single(logits)
    for parameter_name, parameter in net.named_parameters():
        arrays[f"gradient/{parameter_name}"] = samples(parameter.grad)
        if parameter.numel() > WHOLE_UP_TO:
            arrays[f"sums/{parameter_name}"] = sums(parameter.grad)
    arrays["parameters"] = torch.tensor(sum(p.numel() for p in net.parameters())).numpy()
    return arrays


def main():
    torch.set_num_threads(1)
    (HERE / "models").mkdir(exist_ok=True)
    for name, (make, shape) in MODELS.items():
        write(f"models/{name}.npz", record(name, make, shape))


if __name__ == "__main__":
    main()
