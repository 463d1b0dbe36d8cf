"""Makes policies.npz: what Pillow makes of images by each operation of AutoAugment and RandAugment, and by whole policies.

Run as `/usr/bin/python3 make_golden_policies.py` (Debian: python3-pil 9.4); README.md says what each array is.  Operations are called as
torchvision calls them; the policies' choices come from Philox under the keys of RandomKey.cs.
"""
import math

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps

from make_golden import HERE
from make_golden_rand import philox

HEIGHT, WIDTH, SEED, EPOCH = 20, 16, 5, 3
SIGNED = ["ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness"]
DRAWN = ["Identity", *SIGNED, "Posterize", "Solarize", "AutoContrast", "Equalize"]
ENHANCERS = {"Brightness": ImageEnhance.Brightness, "Color": ImageEnhance.Color, "Contrast": ImageEnhance.Contrast,
             "Sharpness": ImageEnhance.Sharpness}
PAIRS = """Invert 1, Contrast 2 6; Rotate 7 2, TranslateX 3 9; Sharpness 8 1, Sharpness 9 3; ShearY 5 8, TranslateY 7 9; AutoContrast 5, Equalize 9;
ShearY 2 7, Posterize 3 7; Color 4 3, Brightness 6 7; Sharpness 3 9, Brightness 7 9; Equalize 6, Equalize 5; Contrast 6 7, Sharpness 6 5;
Color 7 7, TranslateX 5 8; Equalize 3, AutoContrast 4; TranslateY 4 3, Sharpness 2 6; Brightness 9 6, Color 2 8; Solarize 5 2, Invert 0;
Equalize 2, AutoContrast 6; Equalize 2, Equalize 6; Color 9 9, Equalize 6; AutoContrast 8, Solarize 2 8; Brightness 1 3, Color 7 0;
Solarize 4 5, AutoContrast 9; TranslateY 9 9, TranslateY 7 9; AutoContrast 9, Solarize 8 3; Equalize 8, Invert 1; TranslateY 7 9, AutoContrast 9"""


def affine(image, tx=0, ty=0, x=0.0, y=0.0):
    """The inverse of a shear about the corner, or of a shift, as torchvision writes it."""
    x, y = (math.tan(math.radians(math.degrees(math.atan(m)))) for m in (x, y))
    return image.transform(image.size, Image.AFFINE, [1.0, x, -tx, y, 1.0, -ty], Image.NEAREST, fillcolor=0 if image.mode == "L" else (0, 0, 0))


def apply(name, magnitude, image):
    if name == "Identity":
        return image
    if name in ("ShearX", "ShearY"):
        return affine(image, **{name[-1].lower(): magnitude})
    if name in ("TranslateX", "TranslateY"):
        return affine(image, **{"t" + name[-1].lower(): int(magnitude)})
    if name == "Rotate":
        return image.rotate(magnitude, Image.NEAREST)
    if name in ENHANCERS:
        return ENHANCERS[name](image).enhance(1.0 + magnitude)
    if name == "Posterize":
        return ImageOps.posterize(image, int(magnitude))
    if name == "Solarize":
        return ImageOps.solarize(image, magnitude)
    return {"AutoContrast": ImageOps.autocontrast, "Equalize": ImageOps.equalize, "Invert": ImageOps.invert}[name](image)


def magnitude_of(name, place, bins):
    """torchvision's tables, in its single precision."""
    if name == "Posterize":
        return float((8 - (torch.arange(bins) / ((bins - 1) / 4)).round().int())[place])
    ends = {"ShearX": (0.0, 0.3), "ShearY": (0.0, 0.3), "TranslateX": (0.0, 150.0 / 331.0 * WIDTH), "TranslateY": (0.0, 150.0 / 331.0 * HEIGHT),
            "Rotate": (0.0, 30.0), "Solarize": (255.0, 0.0)}.get(name, (0.0, 0.9))
    return float(torch.linspace(*ends, bins)[place].item())


def images():
    """Noise, a smooth picture, nearly one colour, and one colour; as three channels and as one."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3))
    smooth = np.stack([12 * y, 15 * x, 6 * (x + y) + 20], 2) + rng.integers(0, 4, (HEIGHT, WIDTH, 3))
    nearly = np.where(rng.random((HEIGHT, WIDTH, 3)) < 0.04, 90, 60)
    colours = [a.astype(np.uint8) for a in (noise, smooth, nearly, np.full((HEIGHT, WIDTH, 3), 77))]
    return [Image.fromarray(a) for a in colours] + [Image.fromarray(np.ascontiguousarray(a[:, :, 0])) for a in colours[:2]]


def planes(image):
    a = np.asarray(image)
    return a[None] if a.ndim == 2 else np.ascontiguousarray(a.transpose(2, 0, 1))


def draws(sample):
    """The first 64 words of an image's stream of augmentations."""
    blocks = np.arange(16, dtype=np.uint64)
    rest = [np.full_like(blocks, v) for v in (sample, EPOCH << 12, 3)]
    return np.stack(philox([blocks, *rest], (SEED, 0)), 1).reshape(-1)


def below(word, n):
    return int(word) * n >> 32


def pair(image, words):
    policy = [[op.split() for op in line.split(",")] for line in PAIRS.replace("\n", " ").split(";")][below(words[8], 25)]
    for i, (name, tenths, *place) in enumerate(policy):
        if (int(words[9 + i]) >> 8) / 2 ** 24 <= np.float32(int(tenths) / 10):
            magnitude = magnitude_of(name, int(place[0]), 10) if place else 0.0
            image = apply(name, -magnitude if name in SIGNED and below(words[11 + i], 2) else magnitude, image)
    return image


def drawn(image, words, ops, magnitude):
    for i in range(ops):
        name = DRAWN[below(words[8 + 2 * i], 14)]
        value = magnitude_of(name, magnitude, 31) if name in [*SIGNED, "Posterize", "Solarize"] else 0.0
        image = apply(name, -value if name in SIGNED and below(words[9 + 2 * i], 2) else value, image)
    return image


def main():
    arrays, sources = {}, images()
    for k, image in enumerate(sources):
        arrays[f"image{k}"] = planes(image)
    for name in [*DRAWN[1:], "Invert"]:
        plain = name in ("AutoContrast", "Equalize", "Invert")
        values = [0.0] if plain else [magnitude_of(name, place, 31) for place in (0, 7, 9, 15, 30)]
        values += [-v for v in values if name in SIGNED and v]
        arrays[f"{name}/magnitudes"] = np.array(values)
        for k, image in enumerate(sources):
            arrays[f"{name}/{k}"] = np.stack([planes(apply(name, v, image)) for v in values])
    noise, smooth = sources[:2]
    arrays["pairs"] = np.stack([planes(pair(smooth if i % 2 else noise, draws(i))) for i in range(60)])
    arrays["drawn"] = np.stack([planes(drawn(smooth if i % 2 else noise, draws(i), 2, 9)) for i in range(40)])
    arrays["drawn-3-14"] = np.stack([planes(drawn(smooth if i % 2 else noise, draws(i), 3, 14)) for i in range(40)])
    np.savez_compressed(HERE / "policies.npz", **arrays)


if __name__ == "__main__":
    main()
