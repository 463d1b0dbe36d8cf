"""Networks of robustness leaderboards in PyTorch, narrow, under the names of their public checkpoints; written from the papers and the
names.  All see images in [0, 1] and normalise inside, if at all."""
import math

import torch
from torch import nn
from torch.nn import functional as F

CIFAR10 = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)


class Buffers(nn.Module):
    """MeanSparse: values within `threshold` deviations of the channel's mean become the mean."""

    def __init__(self, channels):
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.zeros(channels))
        for name in ("threshold", "flag_update_statistics", "batch_num"):
            self.register_buffer(name, torch.tensor(0.0))

    def forward(self, x):
        mean = self.running_mean[:, None, None]
        return torch.where((x - mean).abs() < self.threshold * self.running_var.sqrt()[:, None, None], mean.expand_as(x), x)


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, round(channels / 4), 1), nn.Conv2d(round(channels / 4), channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))))


class Style:
    """Names and rules; every net below is one of these."""
    stem, norms, convs, shortcut, last, head = "conv1", ("bn1", "bn2"), ("conv1", "conv2"), "shortcut.0", "bn", "linear"
    group = staticmethod(lambda i: f"layer{i + 1}")
    act = staticmethod(F.relu)
    behind = from_input = sparse = False
    size, excite = 1, 0

    def __init__(self, **changes):
        self.__dict__.update(changes)

    def but(self, **changes):
        return Style(**{**self.__dict__, **changes})


FAST = Style(last=None, from_input=True)
WIDE = Style(group=lambda i: f"block{i + 1}.layer", shortcut="convShortcut", last="bn1", head="fc")
ROBUST = WIDE.but(stem="stem_conv", group=lambda i: f"blocks.{i}.layer")
A4 = ROBUST.but(shortcut="shortcut.0", last="norm1", act=F.silu)
DM = Style(stem="init_conv", group=lambda i: f"layer.{i}.block", norms=("batchnorm_0", "batchnorm_1"), convs=("conv_0", "conv_1"),
           shortcut="shortcut", last="batchnorm", head="logits", act=F.silu, behind=True)
DM_PREACT = DM.but(stem="conv_2d", group=lambda i: f"layer_{i}", convs=("conv_2d_1", "conv_2d_2"), size=3, from_input=True)


class Net(nn.Module):
    """A pre-activation net: channels of the stem, then (blocks, channels) of each stage."""

    def __init__(self, style, stem, *stages, classes=10, normalization=None, pssilu=False, unit=False, per_image=False):
        super().__init__()
        self.style, self.names, self.normalization, self.unit, self.per_image = style, {}, normalization, unit, per_image
        self.plan = []
        self.put(style.stem, nn.Conv2d(3, stem, 3, padding=1, bias=False))
        inputs = stem
        for i, (blocks, outputs) in enumerate(stages):
            for j in range(blocks):
                self.plan.append((f"{style.group(i)}.{j}", 2 if i > 0 and j == 0 else 1))
                self.block(*self.plan[-1], inputs, outputs)
                inputs = outputs
        if style.last:
            self.put(style.last, nn.BatchNorm2d(inputs))
            if style.sparse:
                self.put("meansparse_end", Buffers(inputs))
        if pssilu:
            self.activation = nn.Module()
            self.activation.beta, self.activation.alpha = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.put(style.head, nn.Linear(inputs, classes, bias=not unit))

    def put(self, name, module):
        """Adds a module under a dotted name."""
        *path, last = name.split(".")
        holder = self
        for part in path:
            if part not in holder._modules:
                holder.add_module(part, nn.Module())
            holder = holder._modules[part]
        holder.add_module(last, module)
        self.names[name] = [module]  # in a list: not registered twice

    def at(self, name):
        return self.names[name][0]

    def block(self, name, stride, inputs, outputs):
        style = self.style
        for i, channels in enumerate((inputs, outputs)):
            self.put(f"{name}.{style.norms[i]}", nn.BatchNorm2d(channels))
            if style.sparse:
                self.put(f"{name}.meansparse_{i}", Buffers(channels))
            padding = 0 if style.behind and stride == 2 and i == 0 else 1
            self.put(f"{name}.{style.convs[i]}", nn.Conv2d(channels, outputs, 3, stride if i == 0 else 1, padding, bias=False))
        if stride != 1 or inputs != outputs:
            padding = 0 if style.size == 1 or stride == 2 else 1
            self.put(f"{name}.{style.shortcut}", nn.Conv2d(inputs, outputs, style.size, stride, padding, bias=False))
        if style.excite:
            self.put(f"{name}.se", SqueezeExcite(outputs))
        if style.sparse:
            self.put(f"{name}.meansparse_2", Buffers(outputs))

    def act(self, x, norm, sparse):
        x = self.at(norm)(x)
        if self.style.sparse:
            x = self.at(sparse)(x)
        if not hasattr(self, "activation"):
            return self.style.act(x)
        alpha, beta = self.activation.alpha.abs(), self.activation.beta.abs()
        return x * (torch.sigmoid(alpha * x) - beta) / (1 - beta)

    def forward(self, x):
        style = self.style
        if self.normalization:
            mean, std = (torch.tensor(v, dtype=x.dtype)[:, None, None] for v in self.normalization)
            x = (x - mean) / std
        if self.per_image:
            flat = x.flatten(1)
            least = 1 / math.sqrt(flat.shape[1])
            x = ((flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True).clamp_min(least)).reshape(x.shape)
        x = self.at(style.stem)(x)
        for name, stride in self.plan:
            padded = lambda y: F.pad(y, (0, 1, 0, 1)) if style.behind and stride == 2 else y
            first = self.act(x, f"{name}.{style.norms[0]}", f"{name}.meansparse_0")
            shortcut = x
            if f"{name}.{style.shortcut}" in self.names:
                source = x if style.from_input else first
                shortcut = self.at(f"{name}.{style.shortcut}")(padded(source) if style.size == 3 else source)
            h = self.at(f"{name}.{style.convs[0]}")(padded(first))
            if style.excite == 1:
                h = self.at(f"{name}.se")(h)
            h = self.at(f"{name}.{style.convs[1]}")(self.act(h, f"{name}.{style.norms[1]}", f"{name}.meansparse_1"))
            if style.excite == 2:
                h = self.at(f"{name}.se")(h)
            x = h + shortcut
            if style.sparse:
                x = self.at(f"{name}.meansparse_2")(x)
        if style.last:
            x = self.act(x, style.last, "meansparse_end")
        x = x.mean(dim=(2, 3))
        return F.linear(F.normalize(x), F.normalize(self.at(style.head).weight)) if self.unit else self.at(style.head)(x)


class ChannelAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.temperature = heads, nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 4, 1)
        mixed = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * self.temperature).softmax(-1) @ v
        return self.proj(mixed.permute(0, 3, 1, 2).reshape(n, tokens, width))


class Local(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1, groups=width) for _ in range(2))
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x, height):
        n, tokens, width = x.shape
        x = self.conv2(self.bn(F.gelu(self.conv1(x.transpose(1, 2).reshape(n, width, height, -1)))))
        return x.flatten(2).transpose(1, 2)


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


def scale(width):
    return nn.Parameter(torch.ones(width))


class XcitBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.gamma1, self.gamma2, self.gamma3 = scale(width), scale(width), scale(width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width, eps=1e-6) for _ in range(3))
        self.attn, self.local_mp, self.mlp = ChannelAttention(width, heads), Local(width), Mlp(width)

    def forward(self, x, height):
        x = x + self.gamma1 * self.attn(self.norm1(x))
        x = x + self.gamma3 * self.local_mp(self.norm3(x), height)
        return x + self.gamma2 * self.mlp(self.norm2(x))


class ClassAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        n, tokens, width = x.shape
        q, k, v = (f(y).reshape(n, -1, self.heads, width // self.heads).transpose(1, 2)
                   for f, y in ((self.q, x[:, :1]), (self.k, x), (self.v, x)))
        mixed = (q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)).softmax(-1) @ v
        return self.proj(mixed.transpose(1, 2).reshape(n, 1, width))


class ClassBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.gamma1, self.gamma2 = scale(width), scale(width)
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn, self.mlp = ClassAttention(width, heads), Mlp(width)

    def forward(self, x):
        seen = self.norm1(x)
        x = self.norm2(x + self.gamma1 * torch.cat([self.attn(seen), seen[:, 1:]], 1))
        return x + torch.cat([self.gamma2 * self.mlp(x[:, :1]), x[:, 1:]], 1)


class Xcit(nn.Module):
    """XCiT with 4x4 patches: attention between channels, then a class token that attends to all."""

    def __init__(self, width, blocks, heads, classes=10):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.patch_embed, self.pos_embed = nn.Module(), nn.Module()
        layers, inputs = [], 3
        for i in range(4):
            layers += [nn.Sequential(nn.Conv2d(inputs, width >> (3 - i), 3, 1 if i < 2 else 2, 1, bias=False),
                                     nn.BatchNorm2d(width >> (3 - i))), nn.GELU()]
            inputs = width >> (3 - i)
        self.patch_embed.proj = nn.Sequential(*layers[:-1])
        self.pos_embed.token_projection = nn.Conv2d(64, width, 1)
        self.blocks = nn.ModuleList(XcitBlock(width, heads) for _ in range(blocks))
        self.cls_attn_blocks = nn.ModuleList(ClassBlock(width, heads) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    @staticmethod
    def positions(height, width):
        """Sines and cosines of 16 frequencies, of the row and of the column."""
        parts = []
        for axis, count in ((0, height), (1, width)):
            at = torch.arange(1, count + 1, dtype=torch.float64) / (count + 1e-6) * 2 * math.pi
            at = at[:, None].expand(height, width) if axis == 0 else at[None].expand(height, width)
            for i in range(16):
                angle = at / 10000 ** (2 * i / 32)
                parts += [angle.sin(), angle.cos()]
        return torch.stack(parts)[None]

    def forward(self, x):
        x = self.patch_embed.proj(x)
        height = x.shape[2]
        x = x + self.pos_embed.token_projection(self.positions(*x.shape[2:]))
        x = x.flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x, height)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        for block in self.cls_attn_blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = (q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)).softmax(-1) @ v
        return self.proj(mixed.transpose(1, 2).reshape(n, tokens, width))


class VitBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn, self.mlp = Attention(width, heads), Mlp(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PixelNorm(nn.LayerNorm):
    """A layer norm over channels."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Vit(nn.Module):
    """A vision transformer; with `stem` channels, patches of 16 pixels come from four strided convolutions."""

    def __init__(self, width, blocks, heads, patch, tokens, classes=10, stem=0):
        super().__init__()
        self.cls_token, self.pos_embed = nn.Parameter(torch.zeros(1, 1, width)), nn.Parameter(torch.zeros(1, 1 + tokens, width))
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Module() if stem else nn.Conv2d(3, width, patch, patch)
        if stem:
            layers, inputs = [], 3
            for i in range(4):
                layers += [nn.Conv2d(inputs, stem << i, 3, 2, 1), PixelNorm(stem << i, eps=1e-6), nn.GELU()]
                inputs = stem << i
            self.patch_embed.proj.stem = nn.Sequential(*layers, nn.Conv2d(inputs, width, 1))
        self.blocks = nn.ModuleList(VitBlock(width, heads) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    def forward(self, x):
        proj = self.patch_embed.proj
        x = (proj.stem if hasattr(proj, "stem") else proj)(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


ZOO = {
    "dm-wide": lambda: Net(DM, 16, (2, 16), (1, 32), (1, 64), normalization=CIFAR10),
    "dm-preact": lambda: Net(DM_PREACT, 8, (1, 8), (2, 16), (1, 24), (1, 40)),
    "preact-fast": lambda: Net(FAST, 8, (1, 8), (2, 16), (1, 32), (1, 64), classes=7),
    "robust": lambda: Net(ROBUST, 16, (1, 24), (2, 40), (1, 32)),
    "a4": lambda: Net(A4, 16, (2, 24), (1, 40), (1, 32), normalization=CIFAR10),
    "ra": lambda: Net(DM.but(excite=2), 24, (1, 24), (2, 40), (1, 56)),
    "se": lambda: Net(DM.but(excite=1), 24, (2, 24), (1, 40), (1, 56)),
    "dm-sparse": lambda: Net(DM.but(sparse=True), 16, (1, 16), (2, 32), (1, 64)),
    "ra-sparse": lambda: Net(DM.but(excite=2, sparse=True), 16, (1, 24), (1, 40), (2, 56)),
    "pssilu": lambda: Net(WIDE, 16, (1, 16), (2, 32), (1, 64), pssilu=True),
    "normalized": lambda: Net(WIDE, 16, (1, 16), (1, 32), (2, 64), unit=True),
    "per-image": lambda: Net(WIDE, 16, (1, 16), (1, 32), (1, 64), per_image=True),
    "xcit": lambda: Xcit(24, 2, 3, classes=7),
    "vit": lambda: Vit(24, 2, 3, 4, 16, classes=7),
    "vit-convstem": lambda: Vit(24, 2, 3, 16, 1, stem=48),
}
