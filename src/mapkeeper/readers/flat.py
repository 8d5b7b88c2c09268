"""Flat columns: a nested column as one column for each path, ``address.city``, ``items[].sku``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc


def flat(names: Iterable[str], arrays: Iterable[pa.Array]) -> pa.RecordBatch:
    """A batch without structs: what is nested becomes paths, what repeats becomes lists of plain values."""
    paths, leaves = [], []
    for name, array in zip(names, arrays, strict=True):
        for path, leaf in _leaves(name, array):
            paths.append(path)
            leaves.append(leaf)
    return pa.RecordBatch.from_arrays(leaves, unique(paths))


def unique(names: Iterable[str]) -> list[str]:
    """Names of columns as they are, numbered where one is empty or comes again, without what no name can hold."""
    given = [name.encode("utf-8", "replace").decode().replace("\0", "\ufffd") for name in names]
    taken = set(given)
    seen: set[str] = set()
    result = []
    for place, name in enumerate(given, 1):
        free = name or f"column_{place}"
        number = 2
        while free in seen or (free != name and free in taken):
            free = f"{name or f'column_{place}'}_{number}"
            number += 1
        seen.add(free)
        result.append(free)
    return result


def _leaves(path: str, array: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        yield from _leaves(path, array.storage)
    elif pa.types.is_dictionary(kind):
        yield from _leaves(path, array.dictionary_decode())
    elif pa.types.is_null(kind):
        yield path, array.cast(pa.string())
    elif pa.types.is_struct(kind):
        for field, child in zip(kind, array.flatten(), strict=True):
            yield from _leaves(f"{path}.{field.name}", child)
    elif pa.types.is_map(kind):
        yield from _repeated(path, array.offsets, array.is_null(), _entries(array))
    elif pa.types.is_list(kind):
        yield from _repeated(path, array.offsets, array.is_null(), array.values)
    elif pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _leaves(path, array.cast(pa.list_(kind.value_type)))
    else:
        yield path, array


def _entries(array: pa.MapArray) -> pa.StructArray:
    return pa.StructArray.from_arrays([array.keys, array.items], ["key", "value"])


def _repeated(path: str, offsets: pa.Array, missing: pa.Array, values: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    inside = f"{path}[]" if pa.types.is_struct(values.type) or pa.types.is_map(values.type) else path
    for inner, leaf in _leaves(inside, values):
        if pa.types.is_list(leaf.type):  # a list in a list: one list of all
            yield inner, pa.ListArray.from_arrays(pc.take(leaf.offsets, offsets), leaf.values, mask=missing)
        else:
            yield inner, pa.ListArray.from_arrays(offsets, leaf, mask=missing)
