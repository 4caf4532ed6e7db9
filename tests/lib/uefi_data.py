# SPDX-License-Identifier: Apache-2.0
"""AWS's format of UEFI variables: reads the result of GetInstanceUefiData, and writes the parameter of RegisterImage."""
import collections
import struct
import zlib

AUTHENTICATED = 0x20
NON_VOLATILE = 1
GLOBAL = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
Variable = collections.namedtuple("Variable", "name data guid attributes timestamp digest")


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def read(packed):
    """{name: Variable}; ValueError for invalid data."""
    magic, crc, version = struct.unpack_from("<8sII", packed)
    if (magic, version) != (b"AMZNUEFI", 0) or crc != crc32c(packed[12:]):
        raise ValueError("no UEFI data")
    stream = zlib.decompressobj()
    plain = stream.decompress(packed[16:])
    if not stream.eof or stream.unused_data:
        raise ValueError("the stream is not whole")
    at, found = 8, {}

    def take(size):
        nonlocal at
        at += size
        if at > len(plain):
            raise ValueError("a variable is not whole")
        return plain[at - size:at]

    def take_sized():
        return take(struct.unpack("<Q", take(8))[0])

    for _ in range(struct.unpack_from("<Q", plain)[0]):
        name, data, guid, attributes = take_sized().decode(), take_sized(), take(16), struct.unpack("<I", take(4))[0]
        timestamp, digest = (take(16), take_sized()) if attributes & AUTHENTICATED else (None, None)
        found[name] = Variable(name, data, guid, attributes, timestamp and timestamp.strip(b"\0"), digest)
    if at != len(plain):
        raise ValueError("something is behind the variables")
    return found


def plain(variables):
    """The uncompressed stream of {name: Variable}."""
    def sized(data):
        return struct.pack("<Q", len(data)) + data
    parts = [struct.pack("<Q", len(variables))]
    for name, v in variables.items():
        parts += [sized(name.encode()), sized(v.data), v.guid, struct.pack("<I", v.attributes)]
        if v.attributes & AUTHENTICATED:
            parts += [(v.timestamp or b"").ljust(16, b"\0"), sized(v.digest or bytes(32))]
    return b"".join(parts)


def wrap(stream, version=0):
    body = struct.pack("<I", version) + stream
    return b"AMZNUEFI" + struct.pack("<I", crc32c(body)) + body


def write(variables):
    return wrap(zlib.compress(plain(variables), 9))
