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


# name -> (how to build it, input shape C x H x W, default batch)
MODELS = {
    "preactresnet18": (PreActResNet, (3, 32, 32), 64),
    "wrn-34-10": (WideResNet, (3, 32, 32), 8),
    "quick": (lambda: PreActResNet(width=16, blocks=1, channels=1), (1, 28, 28), 64),
}
