#!/usr/bin/env python3
"""Prints a queue of ipc as JSON and takes nothing. It was written from ipc-queue(5) alone.

    reader.py FILE
"""

import fcntl
import json
import mmap
import os
import struct
import sys

ORDER = 0x01020304
VERSION = 1
PUSH, POP = 128, 256
CURSOR, SEARCHED, REDELIVERED, CLOSED = 384, 392, 400, 448
RING = 4096
STATES = {1: "ready", 2: "taken", 3: "done"}
CLAIM = 1 << 40
F_OFD_GETLK = 36
READS = 1000


class Refused(Exception):
    """The file is not a queue, or not one that this program reads."""


def checksum(data):
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


class Queue:
    def __init__(self, file):
        self.file = file
        size = os.fstat(file).st_size
        if size < RING:
            raise Refused("is not a queue")
        self.memory = mmap.mmap(file, size, prot=mmap.PROT_READ)
        self.capacity = self.check_header(size)

    def check_header(self, size):
        header = self.memory[:128]
        if header[:8] != b"ipcqueue":
            raise Refused("is not a queue")
        if self.u32(8) == struct.unpack("=I", struct.pack("=I", ORDER)[::-1])[0]:
            raise Refused("is of the other byte order")
        if self.u32(8) != ORDER or self.u32(12) != VERSION:
            raise Refused("is of another version")
        if self.u64(120) != checksum(header[:120]) or any(header[48:120]):
            raise Refused("the header is damaged")
        capacity = self.u64(16)
        if capacity < 4096 or capacity & (capacity - 1) or RING + capacity != size:
            raise Refused("the capacity is impossible")
        return capacity

    def u32(self, at):
        return struct.unpack_from("=I", self.memory, at)[0]

    def u64(self, at):
        return struct.unpack_from("=Q", self.memory, at)[0]

    def side(self, base):
        """The live state of a side, read without its lock: position, messages, bytes."""
        for _ in range(READS):
            seq = self.u32(base + 64)
            live = base + 72 + 24 * (seq & 1)
            state = tuple(self.u64(live + field) for field in (0, 8, 16))
            if self.u32(base + 64) == seq:
                return state, seq
        raise Refused("a state never stays as it is")

    def sides(self):
        """Both sides at one moment: the side that pops first, and once more behind the other."""
        for _ in range(READS):
            head, pops = self.side(POP)
            tail, pushes = self.side(PUSH)
            if self.u32(POP + 64) == pops:
                used = tail[0] - head[0]
                if not 0 <= used <= self.capacity or head[0] % 8 or tail[0] % 8:
                    raise Refused("the positions contradict each other")
                return head, pops, tail, pushes
        raise Refused("a state never stays as it is")

    def offset(self, position):
        return RING + position % self.capacity

    def bytes_at(self, position, length):
        """Bytes of the ring, which may go on at its beginning."""
        start = self.offset(position)
        first = min(length, RING + self.capacity - start)
        return self.memory[start : start + first] + self.memory[RING : RING + length - first]

    def is_claimed(self, position):
        """Whether a process holds the claim of the record at a position."""
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, CLAIM + position, 1, 0)
        answer = fcntl.fcntl(self.file, F_OFD_GETLK, lock)
        return struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK

    def records(self, head, tail):
        position = head
        while position < tail:
            length, word = struct.unpack("=II", self.bytes_at(position, 8))
            size = 16 + (length + 7) // 8 * 8
            if position + size > tail or word & 0xFF not in STATES:
                raise Refused("a record is damaged")
            message = self.bytes_at(position + 16, length)
            # If the head has passed the position meanwhile, the copy may be of something else.
            if self.side(POP)[0][0] <= position:
                yield {
                    "position": position,
                    "message": message.decode("latin-1"),
                    "state": STATES[word & 0xFF],
                    "attempts": word >> 8,
                    "claimed": self.is_claimed(position),
                }
            position += size

    def describe(self):
        head, pops, tail, pushes = self.sides()
        return {
            "capacity": self.capacity,
            "messages": tail[1] - head[1],
            "bytes": tail[2] - head[2],
            "used": tail[0] - head[0],
            "pushed": tail[1],
            "popped": head[1],
            "redelivered": self.u64(REDELIVERED),
            "closed": self.u32(CLOSED) == 1,
            "consumer_sleeps": self.u32(PUSH + 68) == pushes,
            "producer_sleeps": self.u32(POP + 68) == pops,
            "records": list(self.records(head[0], tail[0])),
        }


def main():
    file = os.open(sys.argv[1], os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        print(json.dumps(Queue(file).describe()))
    except Refused as reason:
        sys.exit(f"{sys.argv[1]}: {reason}")


main()
