"""The peer's networks, written in PyTorch exactly as RPAT.Native defines them, under the names used by public checkpoints.

Input is N x C x H x W in [0, 1]; no normalisation inside the network, so that both sides do the same work.
"""
from torch import nn
from torch.nn import functional as F


def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)


def conv1x1(inputs, outputs, stride):
    return nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)


class PreActBlock(nn.Module):
    """Pre-activation block; the projected shortcut starts from the activated input, the identity one from the input itself."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(conv1x1(inputs, outputs, stride))

    def forward(self, x):
        activated = F.relu(self.bn1(x), inplace=True)
        shortcut = self.shortcut(activated) if hasattr(self, "shortcut") else x
        hidden = self.conv1(activated)
        hidden = self.conv2(F.relu(self.bn2(hidden), inplace=True))
        return hidden.add_(shortcut)


class PreActResNet(nn.Module):
    """PreActResNet: stem, four stages of widths w, 2w, 4w, 8w and strides 1, 2, 2, 2, final BN and ReLU, average, linear."""

    def __init__(self, width=64, blocks=2, channels=3, classes=10):
        super().__init__()
        self.conv1 = conv3x3(channels, width)
        self.layer1 = self._stage(width, width, blocks, 1)
        self.layer2 = self._stage(width, 2 * width, blocks, 2)
        self.layer3 = self._stage(2 * width, 4 * width, blocks, 2)
        self.layer4 = self._stage(4 * width, 8 * width, blocks, 2)
        self.bn = nn.BatchNorm2d(8 * width)
        self.linear = nn.Linear(8 * width, classes)

    @staticmethod
    def _stage(inputs, outputs, blocks, stride):
        first = PreActBlock(inputs, outputs, stride)
        return nn.Sequential(first, *(PreActBlock(outputs, outputs, 1) for _ in range(blocks - 1)))

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x)))))
        x = F.relu(self.bn(x), inplace=True)
        return self.linear(x.mean(dim=(2, 3)))


class WideBlock(nn.Module):
    """WideResNet block: the shortcut is the input itself, or a 1x1 convolution of the activated input when the width changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        if inputs != outputs:
            self.convShortcut = conv1x1(inputs, outputs, stride)

    def forward(self, x):
        activated = F.relu(self.bn1(x), inplace=True)
        shortcut = self.convShortcut(activated) if hasattr(self, "convShortcut") else x
        hidden = self.conv2(F.relu(self.bn2(self.conv1(activated)), inplace=True))
        return hidden.add_(shortcut)


class WideGroup(nn.Module):
    """One group of a WideResNet; `layer` keeps the names of public checkpoints (block1.layer.0.conv1.weight)."""

    def __init__(self, inputs, outputs, blocks, stride):
        super().__init__()
        rest = (WideBlock(outputs, outputs, 1) for _ in range(blocks - 1))
        self.layer = nn.Sequential(WideBlock(inputs, outputs, stride), *rest)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """WideResNet-depth-widen without dropout: stem of 16, three groups of 16k, 32k, 64k channels, (depth - 4) / 6 blocks each."""

    def __init__(self, depth=34, widen=10, channels=3, classes=10):
        super().__init__()
        blocks = (depth - 4) // 6
        self.conv1 = conv3x3(channels, 16)
        self.block1 = WideGroup(16, 16 * widen, blocks, 1)
        self.block2 = WideGroup(16 * widen, 32 * widen, blocks, 2)
        self.block3 = WideGroup(32 * widen, 64 * widen, blocks, 2)
        self.bn1 = nn.BatchNorm2d(64 * widen)
        self.fc = nn.Linear(64 * widen, classes)
        self._initialise()

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, 0.0, (2.0 / fan_out) ** 0.5)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        x = F.relu(self.bn1(x), inplace=True)
        return self.fc(x.mean(dim=(2, 3)))


# name -> (how to build it, input shape C x H x W)
MODELS = {
    "preactresnet18": (PreActResNet, (3, 32, 32)),
    "wrn-34-10": (WideResNet, (3, 32, 32)),
    "quick": (lambda: PreActResNet(width=16, blocks=1, channels=1), (1, 28, 28)),
}


def normed_shortcut(inputs, outputs, stride):
    """Identity, or 1x1 convolution and batch norm where size or channels change."""
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    return nn.Sequential(conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(inputs, width, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv3x3(width, width), nn.BatchNorm2d(width)
        self.shortcut = normed_shortcut(inputs, width, stride)

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv1x1(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv3x3(width, width, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv1x1(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.shortcut = normed_shortcut(inputs, 4 * width, stride)

    def forward(self, x):
        hidden = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(hidden)) + self.shortcut(x))


class ActivatedBlock(nn.Module):
    """Pre-activation block whose identity shortcut, too, starts from the activated input."""
    expansion = 1

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv3x3(inputs, width, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), conv3x3(width, width)
        self.shortcut = nn.Sequential() if stride == 1 and inputs == width else nn.Sequential(conv1x1(inputs, width, stride))

    def forward(self, x):
        activated = F.relu(self.bn1(x))
        return self.conv2(F.relu(self.bn2(self.conv1(activated)))) + self.shortcut(activated)


class ResNet(nn.Module):
    """Stem with batch norm and ReLU, four stages of widths w, 2w, 4w, 8w and strides 1, 2, 2, 2, average, linear."""

    def __init__(self, block, width=64, blocks=2, channels=3, classes=10, stem_stride=1):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(channels, width, stem_stride), nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            layers = []
            for i in range(blocks):
                layers.append(block(inputs, width << stage, 2 if stage > 0 and i == 0 else 1))
                inputs = (width << stage) * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean(dim=(2, 3)))


class Vgg16(nn.Module):
    """Groups of 2, 2, 3, 3 biased convolutions with batch norm, a pool behind each and one more, two hidden layers, linear."""

    def __init__(self, width=64, channels=3, classes=10):
        super().__init__()
        self.order, inputs = [], channels
        for group, count in enumerate((2, 2, 3, 3)):
            for i in range(count):
                name, outputs = f"layer{group + 1}{i + 1}", width << group
                setattr(self, name, nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()))
                self.order.append(name)
                inputs = outputs
            self.order.append("pool")
        self.order.append("pool")
        self.layer6 = nn.Sequential(nn.Linear(inputs, inputs), nn.BatchNorm1d(inputs), nn.ReLU())
        self.layer7 = nn.Sequential(nn.Linear(inputs, inputs), nn.BatchNorm1d(inputs), nn.ReLU())
        self.layer8 = nn.Linear(inputs, classes)

    def forward(self, x):
        for name in self.order:
            if name != "pool":
                x = getattr(self, name)(x)
            elif min(x.shape[2:]) > 1:
                x = F.max_pool2d(x, 2)
        return self.layer8(self.layer7(self.layer6(x.mean(dim=(2, 3)))))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        inner, self.adds = expansion * inputs, stride == 1
        self.conv1, self.bn1 = conv1x1(inputs, inner, 1), nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = conv1x1(inner, outputs, 1), nn.BatchNorm2d(outputs)
        self.shortcut = normed_shortcut(inputs, outputs, 1) if self.adds else nn.Sequential()

    def forward(self, x):
        hidden = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        hidden = self.bn3(self.conv3(hidden))
        return hidden + self.shortcut(x) if self.adds else hidden


class MobileNetV2(nn.Module):
    """MobileNetV2 for small images; `width` is the stem's channels, all others scale with it."""
    ROWS = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self, width=32, channels=3, classes=10):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(channels, width), nn.BatchNorm2d(width)
        blocks, inputs = [], width
        for expansion, outputs, count, stride in self.ROWS:
            for i in range(count):
                blocks.append(InvertedResidual(inputs, outputs * width // 32, expansion, stride if i == 0 else 1))
                inputs = outputs * width // 32
        self.layers = nn.Sequential(*blocks)
        self.conv2, self.bn2 = conv1x1(inputs, 40 * width, 1), nn.BatchNorm2d(40 * width)
        self.linear = nn.Linear(40 * width, classes)

    def forward(self, x):
        x = self.layers(F.relu(self.bn1(self.conv1(x))))
        return self.linear(F.relu(self.bn2(self.conv2(x))).mean(dim=(2, 3)))
