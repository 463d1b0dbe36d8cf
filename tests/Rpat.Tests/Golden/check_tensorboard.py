"""Reads the TensorBoard events of a run with nothing but Python's own library, and checks what TensorBoard's readers rely on:
record framing with both masked CRC-32C, the version record, steps that rise strictly in each tag, and the metadata by which each
plugin finds its values.

    python3 tests/Rpat.Tests/Golden/check_tensorboard.py RUN/tb/*tfevents*
"""
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283 and masked(b"123456789") == 0xC78AB0E5


def records(data):
    at = 0
    while at < len(data):
        size, check = struct.unpack_from("<QI", data, at)
        assert masked(data[at:at + 8]) == check, f"length's CRC at byte {at}"
        payload = data[at + 12:at + 12 + size]
        assert len(payload) == size, f"record cut short at byte {at}"
        assert masked(payload) == struct.unpack_from("<I", data, at + 12 + size)[0], f"payload's CRC at byte {at}"
        yield payload
        at += size + 16


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """Protobuf's wire format: {field number: [values]}; sub-messages stay bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, "field cut short"
        else:
            assert kind in (1, 5), f"wire type {kind}"
            value, at = struct.unpack_from("<d" if kind == 1 else "<f", data, at)[0], at + (8 if kind == 1 else 4)
        found.setdefault(key >> 3, []).append(value)
    return found


def doubles(packed):
    return struct.unpack(f"<{len(packed) // 8}d", packed)


def plugin(value):
    """Name and content of a value's plug-in, or nothing."""
    if 9 not in value:
        return None, b""
    data = fields(fields(value[9][0])[1][0])
    return data[1][0].decode(), data.get(2, [b""])[0]


def check_histogram(message):
    h = fields(message)
    limits, counts = doubles(h[6][0]), doubles(h[7][0])
    assert len(limits) == len(counts) and list(limits) == sorted(set(limits)), "bucket limits rise"
    assert sum(counts) == h[3][0] > 0 and h[1][0] <= h[2][0], "counts add up"


def check_image(message):
    image = fields(message)
    png = image[4][0]
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (image[1][0], image[2][0])[::-1], "PNG of that size"


def check_text(message):
    tensor = fields(message)
    assert tensor[1] == [7] and 8 in tensor, "text is a tensor of strings"
    tensor[8][0].decode()


def check_hparams(tag, content):
    data = fields(content)
    part = {"_hparams_/experiment": 2, "_hparams_/session_start_info": 3, "_hparams_/session_end_info": 4}[tag]
    assert data.get(1, [0]) == [0] and part in data, f"{tag} holds field {part}"
    inner = fields(data[part][0])
    if part == 3:
        names = [fields(entry)[1][0].decode() for entry in inner[1]]
        assert len(names) == len(set(names)) > 5, "hyper-parameters"
    if part == 4:
        assert inner.get(1, [0])[0] in (1, 2, 3), "a status"


def check_value(value):
    tag, (name, content) = value[1][0].decode(), plugin(value)
    if name == "hparams":
        check_hparams(tag, content)
        return "hparams"
    if 2 in value:
        return "scalar"
    for number, kind, check in ((4, "image", check_image), (5, "histogram", check_histogram), (8, "text", check_text)):
        if number in value:
            assert kind != "text" or name == "text", "text names its plug-in"
            check(value[number][0])
            return kind
    raise AssertionError(f"{tag} holds nothing that is known")


def main(paths):
    counts, newest, starts = {}, {}, 0
    for path in sorted(paths):
        with open(path, "rb") as file:
            events = [fields(payload) for payload in records(file.read())]
        assert events[0][3] == [b"brain.Event:2"], "the first record names the version"
        starts += sum(fields(e[7][0]).get(1) == [1] for e in events if 7 in e)
        for event in (e for e in events if 5 in e):
            for value in map(fields, fields(event[5][0])[1]):
                kind, tag, step = check_value(value), value[1][0].decode(), event.get(2, [0])[0]
                counts[kind] = counts.get(kind, 0) + 1
                assert kind == "hparams" or step > newest.get(tag, -1), f"{tag}: step {step} after {newest[tag]}"
                newest[tag] = step
    assert starts >= 1, "a session starts"
    print(f"{len(newest)} tags, {starts} starts, values: " + ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))


main(sys.argv[1:])
