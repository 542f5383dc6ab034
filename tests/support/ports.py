"""Ports of test servers, outside the range from which the kernel takes ports of clients.

A port that the kernel calls free may be taken by a client in the next moment. So each test process
has a block of ports that the kernel does not hand out, and reserves it by an abstract socket name,
which only one process of this machine can have, also across chroots.
"""

import random
import socket
from collections.abc import Iterator
from functools import cache
from itertools import cycle

from deploy.asterisk.launch import port_is_free

# Above Asterisk's ports for RTP, below /proc/sys/net/ipv4/ip_local_port_range.
_FIRST, _LAST, _BLOCK = 20_200, 32_600, 400
# An even port for RTP, the next for RTCP, and two more for video, which SIPp binds too.
_STEP = 4


def free_port() -> int:
    """Return an even port of 127.0.0.1 that is free, as are the three after it."""
    return next(port for port in _own_ports() if port not in _kept and _is_free(port))


def kept_port() -> int:
    """Return a free port for a server that may be down for a while: nobody else gets it then."""
    port = free_port()
    _kept.add(port)
    return port


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
_kept: set[int] = set()


def _reserve(block: int) -> bool:
    """Reserve a block while this process lives; return False if another process has it."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0callytics-tests-ports-{block}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True
