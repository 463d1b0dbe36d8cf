"""Makes golden_pictures.npz: picture files with the pixels that Pillow gives, files that are no picture here, and CIFAR batches in the
forms that Python tools write.

    /usr/bin/python3 make_pictures.py

Debian's python3-pil 9.4 and numpy 1.24, with libjpeg-turbo 2.1.5, and cjpeg of libjpeg-turbo-progs.  Arrays: file/NAME and rgb/NAME
[height, width, 3]; refused/NAME; cifar/NAME, whose two images are (31 i mod 253) in [2, 3, 32, 32] with the labels 3 and 7.
"""
import io
import pickle
import struct
import subprocess
import sys
import types
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

OUT = {}
W, H = 37, 29
Y, X = np.mgrid[0:H, 0:W]
RGB = np.stack([(7 * X + 3 * Y) % 256, (X * Y // 3 + 40) % 256, 255 - (5 * Y + X) % 256], -1).astype(np.uint8)


def keep(name, data):
    OUT["file/" + name] = np.frombuffer(data, np.uint8)
    OUT["rgb/" + name] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def cjpeg(*options, rgb=RGB):
    ppm = b"P6 %d %d 255\n" % (rgb.shape[1], rgb.shape[0]) + rgb.tobytes()
    return subprocess.run(["cjpeg", *options], input=ppm, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def saved(image, kind="JPEG", **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def jpegs():
    for sample in ("1x1", "2x1", "1x2", "2x2", "4x1"):
        keep("jpeg-" + sample, cjpeg("-sample", sample))
        keep(f"jpeg-{sample}-progressive", cjpeg("-sample", sample, "-progressive", "-quality", "90"))
    keep("jpeg-narrow", cjpeg("-sample", "2x2", rgb=RGB[:5, :4].copy()))
    keep("jpeg-restart", cjpeg("-sample", "2x2", "-restart", "2B"))
    keep("jpeg-restart-progressive", cjpeg("-restart", "1B", "-progressive"))
    keep("jpeg-16-bit-tables", cjpeg("-quality", "1"))
    keep("jpeg-optimised", cjpeg("-optimize", "-quality", "100"))
    keep("jpeg-rgb", cjpeg("-rgb"))
    keep("jpeg-grey", saved(Image.fromarray(RGB).convert("L")))
    cmyk = saved(Image.fromarray(RGB).convert("CMYK"), quality=90)
    keep("jpeg-cmyk", cmyk)
    keep("jpeg-ycck", cmyk.replace(b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\2"))
    keep("jpeg-exif-icc", saved(Image.fromarray(RGB), exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", icc_profile=bytes(200), comment=b"x"))
    plain = cjpeg()
    at = plain.index(b"\xff\xdb")
    keep("jpeg-filled", plain[:at] + b"\xff\xff" + plain[at:-2] + bytes(8) + b"\xff\xff\xd9" + b"behind the end")
    OUT["refused/arithmetic"] = np.frombuffer(cjpeg("-arithmetic"), np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pngs():
    image = Image.fromarray(RGB)
    keep("png-rgb", saved(image, "PNG"))
    keep("png-palette", saved(image.quantize(16), "PNG", transparency=3))
    keep("png-palette-2", saved(image.quantize(4), "PNG", bits=2))
    keep("png-grey", saved(image.convert("L"), "PNG"))
    keep("png-bits", saved(image.convert("1"), "PNG"))
    keep("png-grey-alpha", saved(image.convert("LA"), "PNG"))
    alpha = image.copy()
    alpha.putalpha(Image.fromarray(np.where(X % 2, 255, 0).astype(np.uint8)))
    keep("png-rgba", saved(alpha, "PNG"))
    # Interlaced: Pillow reads such files and does not write them.
    rows = b"".join(b"\0" + RGB[y::dy, x::dx][r].tobytes()
                    for y, x, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
                    for r in range(len(range(y, H, dy))))
    header = struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 1)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    keep("png-interlaced", start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"") + b"behind the end")
    # 16 bits, whose upper byte Pillow takes: equal to rounding, since both bytes are the same.
    wide = b"".join(b"\0" + (RGB[y].astype(">u2") * 257).astype(">u2").tobytes() for y in range(H))
    keep("png-16", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, 2, 0, 0, 0))
         + chunk(b"IDAT", zlib.compress(wide)) + chunk(b"IEND", b""))
    for kind in ("TIFF", "BMP", "GIF", "WEBP", "PPM"):
        OUT["refused/" + kind.lower()] = np.frombuffer(saved(image, kind), np.uint8)


def cifar():
    flat = (31 * np.arange(2 * 3072) % 253).astype(np.uint8).reshape(2, 3072)
    planes = flat.reshape(2, 3, 32, 32)
    labels = [3, 7]
    forms = {
        "array": {"data": flat, "labels": labels, "filenames": ["a.png", "b.png"], "batch_label": "training batch 1 of 5"},
        "bytes": {b"labels": labels, b"batch_label": b"x", b"data": flat},
        "fortran": {"data": np.asfortranarray(flat), "labels": np.array(labels)},
        "planes": {"data": planes, "labels": tuple(labels), "extra": {1.5: None, "y": {2, 3}}},
        "channels-last": {"data": np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), "labels": [np.int64(v) for v in labels]},
        "list": {"data": flat.tolist(), "labels": labels},
        "rows": {"data": list(flat), "labels": np.array(labels, np.uint8).reshape(2, 1)},
        "wide": {"data": flat.astype(">i4"), "labels": np.array(labels, np.int16)},
    }
    for name, batch in forms.items():
        for protocol in range(2, 6):
            OUT[f"cifar/{name}-{protocol}"] = np.frombuffer(pickle.dumps(batch, protocol), np.uint8)
    # The names of numpy 2.
    for old, function in ((np.core.multiarray, "_reconstruct"), (np.core.numeric, "_frombuffer"), (np.core.multiarray, "scalar")):
        new = sys.modules.setdefault(old.__name__.replace("numpy.core", "numpy._core"), types.ModuleType("new"))
        setattr(new, function, getattr(old, function))
        getattr(old, function).__module__ = old.__name__.replace("numpy.core", "numpy._core")
    sys.modules.setdefault("numpy._core", types.ModuleType("numpy._core"))
    for name in ("array", "fortran", "channels-last"):
        for protocol in range(2, 6):
            data = pickle.dumps(forms[name], protocol)
            assert b"numpy._core" in data and b"numpy.core" not in data or name == "array" and protocol == 5, (name, protocol)
            OUT[f"cifar/numpy2-{name}-{protocol}"] = np.frombuffer(data, np.uint8)


jpegs()
pngs()
cifar()
np.savez_compressed(Path(__file__).with_name("golden_pictures.npz"), **OUT)
