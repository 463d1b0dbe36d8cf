"""Checks the trainer's weights, logits and exports against PyTorch, onnx and OpenCV, full size; prints one line a model.

    /usr/bin/python3 check_interchange.py rpat COMMAND...     for instance: rpat dotnet engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll

Needs Debian's python3-torch, python3-onnx and python3-opencv.  Every network gets random weights and random batch-norm
statistics, is saved as .pth, measured by `rpat eval --save-logits`, imported, and exported again as .pt and .onnx.  Fails if
logits differ by more than 1e-5 of the largest (of 1 at least), if a tensor comes back with other bits, or if onnx or OpenCV refuse
the export.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "benchmarks" / "peer"))
from models import ActivatedBlock, BasicBlock, Bottleneck, MobileNetV2, PreActResNet, ResNet, Vgg16, WideResNet  # noqa: E402

MODELS = [
    # name, maker, image
    ("preactresnet18", lambda: PreActResNet(), (3, 32, 32)),
    ("preactresnet18", lambda: PreActResNet(width=24, blocks=3, channels=1, classes=17), (1, 28, 28)),
    ("preactresnet18-benchmarks", lambda: ResNet(ActivatedBlock, stem_stride=2, classes=200), (3, 64, 64)),
    ("resnet18", lambda: ResNet(BasicBlock, classes=100), (3, 32, 32)),
    ("resnet18-bottleneck", lambda: ResNet(Bottleneck), (3, 32, 32)),
    ("wideresnet28-10", lambda: WideResNet(depth=28, widen=10), (3, 32, 32)),
    ("wideresnet34-10", lambda: WideResNet(depth=34, widen=10, classes=100), (3, 32, 32)),
    ("wideresnet16-4", lambda: WideResNet(depth=16, widen=4), (3, 64, 64)),
    ("vgg16", lambda: Vgg16(), (3, 32, 32)),
    ("vgg16", lambda: Vgg16(classes=200), (3, 64, 64)),
    ("mobilenetv2", lambda: MobileNetV2(), (3, 32, 32)),
    ("mobilenetv2", lambda: MobileNetV2(classes=12, channels=1), (1, 28, 28)),
]
IMAGES = 16


def randomise(net):
    """Random statistics, and weights that keep activations of usual size: logits of a few units, not of thousands."""
    for name, tensor in net.state_dict().items():
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "bn.weight")):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bn1.bias", "bn2.bias", "bn3.bias", "bn.bias")):
            tensor.uniform_(-0.25, 0.25)
    return net.eval()


def run(command, *arguments):
    result = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{arguments}: {result.stderr}")
    return result.stdout


def opencv(path, images):
    net = cv2.dnn.readNetFromONNX(str(path))
    rows = []
    for image in images:
        net.setInput(image[None])
        rows.append(net.forward()[0])
    return np.stack(rows)


def check(command, folder, name, make, shape):
    torch.manual_seed(7)
    net = randomise(make())
    images = torch.rand(IMAGES, *shape)
    with torch.no_grad():
        expected = net(images).numpy()
    torch.save({"state_dict": {f"module.{key}": value for key, value in net.state_dict().items()}, "epoch": 3}, folder / "net.pth")
    np.savez(folder / "data.npz", images=images.numpy(), labels=np.zeros(IMAGES, dtype=np.int64))
    run(command, "eval", folder / "net.pth", "--model", name, "--data", f"npz:{folder / 'data.npz'}", "--attacks", "clean", "--save-logits", folder / "z.npy")
    error = np.abs(np.load(folder / "z.npy") - expected).max()
    size = "x".join(map(str, shape))
    run(command, "import", folder / "net.pth", "--model", name, "--input", size, "-o", folder / "net.safetensors")
    run(command, "export", folder / "net.safetensors", "-o", folder / "back.pt")
    back = torch.load(folder / "back.pt", weights_only=True)
    state = net.state_dict()
    same = set(back) == set(state) and all(torch.equal(back[key], state[key]) and back[key].dtype == state[key].dtype for key in state)
    run(command, "export", folder / "net.safetensors", "-o", folder / "net.onnx")
    onnx.checker.check_model(str(folder / "net.onnx"), full_check=True)
    other = np.abs(opencv(folder / "net.onnx", images.numpy()) - expected).max()
    print(f"{name:28s} {size:8s} logits {np.abs(expected).max():6.2f}  rpat-torch {error:.1e}  opencv(onnx)-torch {other:.1e}  "
          f"round trip {'bit-exact' if same else 'DIFFERS'}", flush=True)
    allowed = 1e-5 * max(1, np.abs(expected).max())
    return error <= allowed and same and other <= allowed


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "rpat":
        raise SystemExit(__doc__)
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        results = [check(sys.argv[2:], Path(folder), *model) for model in MODELS]
    if not all(results):
        raise SystemExit("some check failed")


if __name__ == "__main__":
    main()
