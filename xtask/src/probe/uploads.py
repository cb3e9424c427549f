"""What stands in a request whose body is WebAssembly: components as they are, damaged ones, and any bytes."""

import os
import pathlib

import schemathesis
from hypothesis import strategies as st

FOLDER = pathlib.Path(os.environ["REDRESS_COMPONENTS"])
COMPONENTS = sorted(path.read_bytes() for path in FOLDER.glob("*.wasm"))
assert COMPONENTS, f"no components in {FOLDER}"


def cut(component, share):
    return component[: len(component) * share // 100]


def flipped(component, place, bit):
    bytes_ = bytearray(component)
    bytes_[place % len(bytes_)] ^= 1 << bit
    return bytes(bytes_)


whole = st.sampled_from(COMPONENTS)
damaged = st.builds(cut, whole, st.integers(0, 99)) | st.builds(flipped, whole, st.integers(0, 1 << 17), st.integers(0, 7))
strange = st.binary(max_size=4096) | st.just(b"\x00asm\x01\x00\x00\x00") | st.just(b"\x00asm\x0d\x00\x01\x00")

schemathesis.openapi.media_type("application/wasm", whole | damaged | strange)
