"""Checks every parameter's gradient in training mode against PyTorch, full size; prints one line a model.

    /usr/bin/python3 check_gradients.py rpat COMMAND...     for instance: rpat dotnet engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll

Needs what check_interchange.py needs.  A network of some million ReLUs always has some whose input is zero up to rounding: there two correct
programs may take different one-sided derivatives, and so does PyTorch in float and in double.  So each ReLU's input is first moved
in PyTorch, by the bias of the batch norm before it and by less than a quarter of its deviation, until zero lies in a wide gap
between each channel's values; weights and images stay random.  Fails if a gradient is further than 1e-3, relative in the
Euclidean norm, from PyTorch's in float or in double; one that is zero but for rounding (a bias before a batch norm) may be a
millionth of the network's largest.
"""
import copy
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from check_interchange import MODELS, run  # noqa: E402

IMAGES = 8
ALLOWED = 1e-3


class ClearOfKinks:
    """While entered, moves each ReLU's input as the module's text says; `margin` is the least distance to zero in deviations."""

    def __init__(self, net):
        self.norms = [m for m in net.modules() if isinstance(m, _BatchNorm)]
        self.margin = np.inf

    def __enter__(self):
        self.relu, F.relu = F.relu, self.moved
        self.hooks = [m.register_forward_hook(self.passed) for m in self.norms]
        return self

    def __exit__(self, *_):
        F.relu = self.relu
        for hook in self.hooks:
            hook.remove()

    def passed(self, norm, _inputs, _output):
        self.last = norm

    def moved(self, x, inplace=False):
        values = x.transpose(0, 1).flatten(1).sort(1).values
        deviation = values.std(1, keepdim=True)
        middle, gap = (values[:, 1:] + values[:, :-1]) / 2, (values[:, 1:] - values[:, :-1]) / 2
        widest = torch.where(middle.abs() < 0.25 * deviation, gap, -gap).max(1, keepdim=True)
        shift = torch.gather(middle, 1, widest.indices)[:, 0]
        self.last.bias -= shift
        x = x - shift.view(1, -1, *[1] * (x.dim() - 2))
        self.margin = min(self.margin, (x.abs().transpose(0, 1).flatten(1).min(1).values / deviation[:, 0]).min().item())
        return self.relu(x)


def randomised(make, images):
    """Random affine parameters of the batch norms, then clear of kinks on these images."""
    torch.manual_seed(11)
    net = make().train()
    with torch.no_grad():
        for norm in net.modules():
            if isinstance(norm, _BatchNorm):
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.uniform_(-0.25, 0.25)
        net.double()
        with ClearOfKinks(net) as clear:
            net(images.double())
    return net.float(), clear.margin


def gradients(net, images, labels):
    names, parameters = zip(*net.train().named_parameters())
    values = torch.autograd.grad(F.cross_entropy(net(images), labels), parameters)
    return {name: value.double().numpy() for name, value in zip(names, values)}


def furthest(found, wanted):
    """The largest relative distance, and the parameter that has it."""
    largest = max(np.linalg.norm(v) for v in wanted.values())
    return max((np.linalg.norm(found[name] - v) / max(np.linalg.norm(v), 1e-6 / ALLOWED * largest), name) for name, v in wanted.items())


def check(command, folder, name, make, shape):
    torch.manual_seed(5)
    images = torch.rand(IMAGES, *shape)
    net, margin = randomised(make, images)
    labels = torch.arange(IMAGES) % 10
    torch.save(net.state_dict(), folder / "net.pth")
    np.savez(folder / "data.npz", images=images.numpy(), labels=labels.numpy())
    run(command, "eval", folder / "net.pth", "--model", name, "--data", f"npz:{folder / 'data.npz'}", "--attacks", "clean", "--save-gradients", folder / "g.npz")
    with np.load(folder / "g.npz") as file:
        ours = {key: file[key].astype(np.float64) for key in file.files}
    double = gradients(copy.deepcopy(net).double(), images.double(), labels)
    single = gradients(net, images, labels)
    if {k: v.shape for k, v in ours.items()} != {k: v.shape for k, v in double.items()}:
        raise SystemExit(f"{name}: names or shapes differ: {set(ours) ^ set(double)}")
    (from_double, worst), (from_single, _), (torch_itself, _) = furthest(ours, double), furthest(ours, single), furthest(single, double)
    print(f"{name:28s} {'x'.join(map(str, shape)):8s} {len(ours):3d} gradients, ReLUs {margin:.0e} from a kink  "
          f"rpat-double {from_double:.1e} ({worst})  rpat-float {from_single:.1e}  float-double {torch_itself:.1e}", flush=True)
    return max(from_double, from_single) <= ALLOWED


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
