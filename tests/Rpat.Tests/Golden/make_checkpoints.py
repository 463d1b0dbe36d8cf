"""Makes the checkpoints in the folder `checkpoints` with PyTorch 1.13, in every form that the reader knows, and expected.npz.

Run as `/usr/bin/python3 make_checkpoints.py`.  In expected.npz, FILE/NAME is the tensor NAME that reading FILE must give.
No other data: all values follow from the formula of make_golden.py.
"""
import io
import os
import pickle
import sys
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from make_golden import uniform

sys.dont_write_bytecode = True
FOLDER = Path(__file__).resolve().parent / "checkpoints"
EXPECTED = {}


def values(key, *shape, dtype=torch.float32):
    flat = torch.from_numpy(200 * uniform(key, int(np.prod(shape))) - 100).reshape(shape)
    return (flat > 0) if dtype == torch.bool else (flat.abs() if dtype == torch.uint8 else flat).to(dtype)


def expect(file, name, tensor):
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    EXPECTED[f"{file}/{name}"] = tensor.contiguous().numpy()


def save(file, content, tensors, **options):
    torch.save(content, FOLDER / file, **options)
    for name, tensor in tensors.items():
        expect(file, name, tensor)


def views():
    base = values("base", 4, 6)
    return OrderedDict(whole=base, transposed=base.t(), sliced=base[1:3, ::2], row=base[2], expanded=values("one", 3, 1).expand(3, 4),
                       channels_last=values("image", 2, 3, 4, 5).contiguous(memory_format=torch.channels_last), scalar=base[1, 1])


def kinds():
    types = dict(f32=torch.float32, f64=torch.float64, f16=torch.float16, bf16=torch.bfloat16, i64=torch.int64, i32=torch.int32,
                 i16=torch.int16, i8=torch.int8, u8=torch.uint8, bool=torch.bool)
    tensors = OrderedDict((name, values(name, 3, 5, dtype=dtype)) for name, dtype in types.items())
    tensors.update(empty=torch.zeros(0, 3), number=torch.tensor(7), parameter=nn.Parameter(values("p", 2, 2)))
    return tensors


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, bias=False)
        self.parts = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
        self.linear = nn.Linear(3, 2)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.copy_(values(name, *parameter.shape))

    def forward(self, x):
        return self.linear(self.parts(self.conv1(x)).mean(dim=(2, 3)))


def no_source(*_):
    raise OSError("the old form would store PyTorch's own source beside each module")


def without_code(file):
    """TorchScript puts compiled code of PyTorch's layers beside the data; readers of tensors do not need it."""
    with zipfile.ZipFile(FOLDER / file) as script:
        kept = {entry.filename: script.read(entry) for entry in script.infolist() if "/code/" not in entry.filename}
    with zipfile.ZipFile(FOLDER / file, "w", zipfile.ZIP_STORED) as script:
        for name, content in kept.items():
            script.writestr(zipfile.ZipInfo(name), content)


def modules():
    net = Small().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.serialization.get_source_lines_and_file = no_source
        save("module.pt", net, net.state_dict())
        save("module_old.pt", net, net.state_dict(), _use_new_zipfile_serialization=False)
    save("state_old.pt", net.state_dict(), net.state_dict(), _use_new_zipfile_serialization=False)
    torch.jit.script(net).save(str(FOLDER / "script.pt"))
    without_code("script.pt")
    for name, tensor in net.state_dict().items():
        expect("script.pt", name, tensor)
    for protocol in (3, 4, 5):
        save(f"state_protocol{protocol}.pt", net.state_dict(), net.state_dict(), pickle_protocol=protocol)
    for protocol in (1, 4, 5):
        count = torch.arange(6, dtype=torch.float32).reshape(2, 3)  # the test knows it
        torch.save({"count": count}, FOLDER / f"stream_protocol{protocol}.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=False)


def training():
    net = Small()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(values("x", 4, 2, 6, 6)).sum().backward()
    optimizer.step()
    state = net.state_dict()
    wrapped = OrderedDict((f"module.model.{name}", tensor) for name, tensor in state.items())
    wrapped["module.mean"], wrapped["module.std"] = torch.tensor([0.25, 0.5]).view(1, 2, 1, 1), torch.tensor([0.5, 0.125]).view(1, 2, 1, 1)
    average = OrderedDict((name, tensor + 1 if tensor.is_floating_point() else tensor) for name, tensor in state.items())
    content = {"epoch": 76, "best_acc": np.float64(51.25), "count": np.int64(3), "optimizer": optimizer.state_dict(), "state_dict": wrapped,
               "ema": average, "args": {"lr": 0.1, "name": "small"}, "history": [1.5, None, True]}
    save("training.pt", content, state)
    madry = OrderedDict((f"module.model.{name}", tensor) for name, tensor in state.items())
    madry.update((f"module.attacker.model.{name}", tensor) for name, tensor in state.items())
    madry["module.normalizer.new_mean"], madry["module.normalizer.new_std"] = torch.tensor([[[0.1]], [[0.2]]]), torch.tensor([[[0.3]], [[0.4]]])
    save("madry.pt", {"model": madry, "epoch": 1}, state)


class Command:
    """Runs a command when an ordinary reader opens the file."""

    def __reduce__(self):
        return os.system, ("touch rpat-was-here",)


def hostile():
    weight = values("w", 2, 2)
    save("command.pt", {"state_dict": OrderedDict(weight=weight), "surprise": Command()}, {"weight": weight})
    with open(FOLDER / "command.pkl", "wb") as file:
        pickle.dump({"surprise": Command(), "weight": np.arange(6, dtype=np.float32).reshape(2, 3)}, file, protocol=2)
    EXPECTED["command.pkl/weight"] = np.arange(6, dtype=np.float32).reshape(2, 3)
    with open(FOLDER / "arrays.pkl", "wb") as file:
        content = {"big": np.arange(6, dtype=">f8").reshape(2, 3), "fortran": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3))}
        pickle.dump(content, file, protocol=4)
    EXPECTED["arrays.pkl/big"], EXPECTED["arrays.pkl/fortran"] = np.arange(6, dtype="<f8").reshape(2, 3), content["fortran"].copy(order="C")


def tar():
    """The form of 2016: torch.load still reads it, nothing writes it any more."""
    base, view = values("tar", 4, 3), values("tar", 4, 3)[1:3].t()
    storages, tensors, graph = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(1, storages, protocol=2)
    pickle.dump((11, "cpu", torch.FloatStorage), storages, protocol=2)
    storages.write(np.int64(base.numel()).tobytes() + base.numpy().tobytes())
    pickle.dump([], storages, protocol=2)
    pickle.dump(2, tensors, protocol=2)
    for key, tensor, offset in ((21, base, 0), (22, view, 3)):
        pickle.dump((key, 11, torch.FloatTensor), tensors, protocol=2)
        tensors.write(np.int32(tensor.ndim).tobytes() + bytes(4) + np.array([*tensor.shape, *tensor.stride(), offset], dtype=np.int64).tobytes())

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            return {id(base): 21, id(view): 22}.get(id(item))

    Pickler(graph, protocol=2).dump(OrderedDict(base=base, view=view))
    system = pickle.dumps({"protocol_version": 1000, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, protocol=2)
    with tarfile.open(FOLDER / "oldest.tar", "w:", format=tarfile.GNU_FORMAT) as file:
        for name, content in (("sys_info", system), ("pickle", graph.getvalue()), ("tensors", tensors.getvalue()), ("storages", storages.getvalue())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    loaded = torch.load(FOLDER / "oldest.tar")
    assert torch.equal(loaded["base"], base) and torch.equal(loaded["view"], view)
    expect("oldest.tar", "base", base)
    expect("oldest.tar", "view", view)


def main():
    FOLDER.mkdir(exist_ok=True)
    save("views.pt", views(), views())
    save("views_old.pt", views(), views(), _use_new_zipfile_serialization=False)
    save("kinds.pt", kinds(), kinds())
    modules()
    training()
    hostile()
    tar()
    np.savez_compressed(FOLDER / "expected.npz", **EXPECTED)
    print(*sorted(f"{file.name} {file.stat().st_size}" for file in FOLDER.iterdir()), sep="\n")


if __name__ == "__main__":
    main()
