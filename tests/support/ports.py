"""Ports of the tests' servers, below those from which the system takes a client's.

A port that the system calls free may be a client's in the next moment. So each process of tests has
a block of ports that no system hands out, and reserves it by a name that only one process of this
machine can have, in whatever root it runs.
"""

import random
import socket
from collections.abc import Iterator
from functools import cache
from itertools import cycle

from deploy.asterisk.launch import port_is_free

# Above Asterisk's ports for RTP, below /proc/sys/net/ipv4/ip_local_port_range.
_FIRST, _LAST, _BLOCK = 20_200, 32_600, 200
# An even port for RTP, the next for RTCP, and the two after them for video, which SIPp binds too.
_STEP = 4


def free_port() -> int:
    """Return an even port of 127.0.0.1 that is free, as are the three after it."""
    return next(port for port in _own_ports() if _is_free(port))


def _is_free(port: int) -> bool:
    return port_is_free(port) and all(
        port_is_free(port + place, socket.SOCK_DGRAM) for place in range(_STEP)
    )


@cache
def _own_ports() -> Iterator[int]:
    blocks = list(range(_FIRST, _LAST, _BLOCK))
    random.shuffle(blocks)
    block = next(block for block in blocks if _reserve(block))
    return cycle(range(block, block + _BLOCK, _STEP))


_reserved: list[socket.socket] = []


def _reserve(block: int) -> bool:
    """Take a block for as long as this process lives; False if another process has it."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0callytics-tests-ports-{block}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True
