"""Run programs (see `program`) over bytes, from given places on: what decides whether something matches.

Compiled by numba. It tries the choices of a program in their order and goes back where one fails, as Python's
``regex`` does. What would take too long is given up, and told; nothing is skipped in silence.
"""

from __future__ import annotations

import numpy as np

from mapkeeper.classify.compiling import compiled
from mapkeeper.classify.gathering import Bytes, Ints
from mapkeeper.classify.instructions import (
    AGAIN,
    ATOMIC,
    ATOMIC_END,
    BESIDE,
    BYTE,
    BYTE_BACK,
    CLASS,
    CLASS_BACK,
    GREEDY,
    GREEDY_BACK,
    JUMP,
    LAZY,
    LOOK,
    LOOKED,
    MATCH,
    POSSESSIVE,
    SAVE,
    SPLIT,
    TABLE,
    TEXT_EDGE,
    WORD_EDGE,
)
from mapkeeper.classify.jobs import PLANES, Code, Jobs, Matches, Texts

_FAILED = -1
_GIVEN_UP = -2

_STACK = 1 << 16
"""Numbers on the stack of choices, four each."""

_STEPS = 1 << 18
"""Instructions after which a text is given up, with …"""

_EACH = 64
"""… so many more for each of its bytes."""

_ROOM = 64

_IDEOGRAPH, _PRIVATE, _LAST_OF_IDEOGRAPHS = 0x3400, 0xE000, 0x40000
"""Beyond `PLANES` there are but ideographs, and what nobody has given a meaning: one stands for all."""


_CHOICE, _ROW, _ROW_BACK, _GROWING, _SLOT, _LOOKING, _WHOLE = range(7)  # what stands on the stack


def matches(code: Code, texts: Texts, jobs: Jobs) -> Matches:
    """All matches that do not overlap, as Python's ``finditer`` finds them."""
    stack, slots = np.empty(_STACK, np.int64), np.empty(max(2, int(code.slots.max(initial=0))), np.int64)
    size = len(jobs.text) + _ROOM
    while True:
        into = Matches.empty(size)
        count = _run(code, texts, jobs, np.zeros(len(code.entry), np.int64), into, stack, slots)
        if count >= 0:
            return into.head(count)
        size *= 4


@compiled
def _held(wide: Bytes, row: int, data: Bytes, pos: int) -> int:
    """The bytes of a character beyond ASCII, if it is in a row of bits; else 0."""
    byte = np.int64(data[pos])
    if byte < 0xE0:
        char, width = (byte & 0x1F) << 6 | (np.int64(data[pos + 1]) & 0x3F), 2
    elif byte < 0xF0:
        low = (np.int64(data[pos + 1]) & 0x3F) << 6 | (np.int64(data[pos + 2]) & 0x3F)
        char, width = (byte & 0x0F) << 12 | low, 3
    else:
        low = (np.int64(data[pos + 2]) & 0x3F) << 6 | (np.int64(data[pos + 3]) & 0x3F)
        char, width = (byte & 0x07) << 18 | (np.int64(data[pos + 1]) & 0x3F) << 12 | low, 4
    if char >= PLANES:
        char = np.int64(_IDEOGRAPH if char < _LAST_OF_IDEOGRAPHS else _PRIVATE)
    return width if (wide[row, char >> 3] >> (char & 7)) & 1 else 0


@compiled
def _same(data: Bytes, start: int, stop: int, pos: int, end: int, fold: bool) -> int:
    """Bytes that are the same as those from ``start`` to ``stop``; less than none where they differ."""
    if start < 0 or stop < 0 or pos + stop - start > end:
        return _FAILED
    for at in range(stop - start):
        one, other = np.int64(data[start + at]), np.int64(data[pos + at])
        if one != other:
            if not fold:
                return _FAILED
            if one > 127 or other > 127:
                return _GIVEN_UP
            if (one | 32) != (other | 32) or not 97 <= one | 32 <= 122:
                return _FAILED
    return stop - start


@compiled
def _run(code: Code, texts: Texts, jobs: Jobs, resume: Ints, into: Matches, stack: Ints, slots: Ints) -> int:
    """Do all jobs: how many matches were written, or -1 where there was no room.

    All in one function: to hand arrays over to another costs more than most of what is done here.
    """
    (
        codes,
        entry,
        kept,
        first_of,
        second_of,
        least_of,
        valued,
        edged_of,
        anchored_of,
        members,
        beyond,
        wide,
        tables,
        word,
    ) = code
    data, offsets = texts.data, texts.offsets
    job_program, job_text, job_low, job_high = jobs
    found_program, found_text, found_start, found_stop = into
    count = 0
    room = len(stack) - 8
    for job in range(len(job_text)):
        program, text = job_program[job], job_text[job]
        begin, end = int(offsets[text]), int(offsets[text + 1])
        edged = edged_of[program]
        base = np.int64(entry[program])
        start = int(max(job_low[job], resume[program]))
        last = min(int(job_high[job]), end - max(int(least_of[program]), 1))
        if anchored_of[program]:
            last = min(last, begin)
        steps = -_EACH * (end - begin)
        while start <= last:
            byte = data[start]
            next_ = np.int64(data[start + 1]) if start + 1 < end else 256
            if not first_of[program, byte] or not second_of[program, next_] or byte & 0xC0 == 0x80:
                start += 1
                continue
            inside = edged and start > begin and byte < 128 and data[start - 1] < 128
            if inside and members[word, byte] == members[word, data[start - 1]]:
                start += 1
                continue
            for slot in range(kept[program]):
                slots[slot] = -1
            pos = start
            pc = base
            top = 0
            while True:
                steps += 1
                if steps > _STEPS or top > room:
                    pos = _GIVEN_UP
                    break
                op = codes[pc]
                a, b, c = np.int64(codes[pc + 1]), np.int64(codes[pc + 2]), np.int64(codes[pc + 3])
                failed = False
                if op == CLASS:
                    if pos >= end:
                        failed = True
                    elif data[pos] < 128:
                        failed = not members[a, data[pos]]
                        pos += 1
                    else:
                        width = _held(wide, beyond[a], data, pos)
                        failed = width == 0
                        pos += width
                    pc += 4
                elif op == BYTE:
                    failed = pos >= end or data[pos] != a
                    pos += 1
                    pc += 4
                elif op in (GREEDY, POSSESSIVE):
                    times = 0
                    lowest = pos
                    while times < c and pos < end:
                        if data[pos] < 128:
                            if not members[a, data[pos]]:
                                break
                            pos += 1
                        else:
                            width = _held(wide, beyond[a], data, pos)
                            if width == 0:
                                break
                            pos += width
                        times += 1
                        if times == b:
                            lowest = pos
                    failed = bool(times < b)
                    pc += 4
                    if op == GREEDY and times > b:
                        stack[top], stack[top + 1], stack[top + 2], stack[top + 3] = _ROW, pc, pos, lowest
                        top += 4
                elif op == SPLIT:
                    able = True
                    if c >= 0:
                        if pos >= end:
                            able = False
                        elif data[pos] < 128:
                            able = bool(members[c, data[pos]])
                        else:
                            able = beyond[c] > 0
                    if able:
                        stack[top], stack[top + 1], stack[top + 2] = _CHOICE, base + 4 * b, pos
                        top += 4
                        pc = base + 4 * a
                    else:
                        pc = base + 4 * b
                elif op == JUMP:
                    pc = base + 4 * a
                elif op in (WORD_EDGE, BESIDE):
                    kind = a if op == BESIDE else word
                    before = False
                    after = False
                    if pos > begin and (op == WORD_EDGE or b == 1):
                        left = pos - 1
                        if data[left] < 128:
                            before = bool(members[kind, data[left]])
                        else:
                            while left > begin and data[left] & 0xC0 == 0x80:
                                left -= 1
                            before = _held(wide, beyond[kind], data, left) > 0
                    if pos < end and (op == WORD_EDGE or b == 0):
                        if data[pos] < 128:
                            after = bool(members[kind, data[pos]])
                        else:
                            after = _held(wide, beyond[kind], data, pos) > 0
                    failed = (before != after) == ((a if op == WORD_EDGE else c) == 1)
                    pc += 4
                elif op == TABLE:
                    to = np.int64(-1)
                    if b == 1:
                        to = np.int64(tables[a, np.int64(data[pos + 1]) if pos + 1 < end else 256])
                    elif pos < end:
                        to = np.int64(tables[a, data[pos]])
                    failed = bool(to < 0)
                    pc = base + 4 * to
                elif op == SAVE:
                    stack[top], stack[top + 1], stack[top + 2] = _SLOT, a, slots[a]
                    top += 4
                    slots[a] = pos
                    pc += 4
                elif op == MATCH:
                    break
                elif op == TEXT_EDGE:
                    if a == 0:
                        failed = pos != begin
                    elif a == 1:
                        failed = pos != end
                    elif a == 2:
                        failed = pos != begin and data[pos - 1] != 10
                    elif a == 3:
                        failed = pos != end and data[pos] != 10
                    else:
                        failed = pos != end and not (pos == end - 1 and data[pos] == 10)
                    pc += 4
                elif op == LAZY:
                    for _ in range(b):
                        if pos >= end:
                            failed = True
                        elif data[pos] < 128:
                            failed = failed or not members[a, data[pos]]
                            pos += 1
                        else:
                            width = _held(wide, beyond[a], data, pos)
                            failed = failed or width == 0
                            pos += width
                    if not failed and b < c:
                        stack[top], stack[top + 1], stack[top + 2], stack[top + 3] = _GROWING, pc, pos, b
                        top += 4
                    pc += 4
                elif op == AGAIN:
                    width = _same(data, slots[a], slots[a + 1], pos, end, c == 1)
                    if width == _GIVEN_UP:
                        pos = _GIVEN_UP
                        break
                    failed = width < 0
                    pos += width
                    pc += 4
                elif op in (LOOK, ATOMIC):
                    stack[top], stack[top + 1], stack[top + 2] = _LOOKING if op == LOOK else _WHOLE, pc, pos
                    top += 4
                    slots[b] = top
                    pc += 4
                elif op == LOOKED:
                    top = slots[b] - 4
                    pos = int(stack[top + 2])
                    failed = c == 1
                    pc += 4
                elif op == BYTE_BACK:
                    failed = pos <= begin or data[pos - 1] != a
                    pos -= 1
                    pc += 4
                elif op in (CLASS_BACK, GREEDY_BACK):
                    times = 0
                    highest = pos
                    while pos > begin and (times < c or (op == CLASS_BACK and times < 1)):
                        left = pos - 1
                        if data[left] < 128:
                            if not members[a, data[left]]:
                                break
                        else:
                            while left > begin and data[left] & 0xC0 == 0x80:
                                left -= 1
                            if _held(wide, beyond[a], data, left) == 0:
                                break
                        pos = left
                        times += 1
                        if times == b:
                            highest = pos
                    pc += 4
                    if op == CLASS_BACK:
                        failed = times < 1
                    else:
                        failed = bool(times < b)
                        if times > b:
                            stack[top], stack[top + 1], stack[top + 2], stack[top + 3] = _ROW_BACK, pc, pos, highest
                            top += 4
                elif op == ATOMIC_END:
                    top = slots[b] - 4
                    pc += 4
                while failed and top > 0:
                    top -= 4
                    was = stack[top]
                    pc = stack[top + 1]
                    pos = int(stack[top + 2])
                    if was == _CHOICE:
                        failed = False
                    elif was == _ROW:
                        pos -= 1
                        while data[pos] & 0xC0 == 0x80:
                            pos -= 1
                        if pos > stack[top + 3]:
                            stack[top + 2] = pos
                            top += 4
                        failed = False
                    elif was == _ROW_BACK:
                        pos += 1
                        while pos < end and data[pos] & 0xC0 == 0x80:
                            pos += 1
                        if pos < stack[top + 3]:
                            stack[top + 2] = pos
                            top += 4
                        failed = False
                    elif was == _GROWING:
                        kind = np.int64(codes[pc + 1])
                        width = 0
                        if pos < end:
                            if data[pos] < 128:
                                width = 1 if members[kind, data[pos]] else 0
                            else:
                                width = _held(wide, beyond[kind], data, pos)
                        if width > 0:
                            pos += width
                            if stack[top + 3] + 1 < codes[pc + 3]:
                                stack[top + 2] = pos
                                stack[top + 3] += 1
                                top += 4
                            pc += 4
                            failed = False
                    elif was == _SLOT:
                        slots[pc] = pos
                    elif was == _LOOKING and codes[pc + 3] == 1:
                        pc = base + 4 * np.int64(codes[pc + 1])
                        failed = False
                if failed:
                    pos = _FAILED
                    break
            if pos != _GIVEN_UP and pos <= start:
                start += 1
                continue
            if count >= len(found_text):
                return -1
            found_text[count] = text
            if pos == _GIVEN_UP:
                found_program[count] = -1 - program
                count += 1
                start = end
                break
            value = valued[program]
            found_program[count] = program
            found_start[count] = slots[0] if value else start
            found_stop[count] = slots[1] if value else pos
            if found_stop[count] > found_start[count] >= 0:
                count += 1
            start = pos
        resume[program] = max(start, resume[program], job_high[job] + 1)
    return count
