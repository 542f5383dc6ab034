"""RTP packets of a phone that speaks, as a capture file for SIPp."""

import struct
from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.support.tones import RATE, ULAW

PACKET_SECONDS = 0.02
PACKET_SAMPLES = int(RATE * PACKET_SECONDS)
EVENT_TYPE = 101  # payload type of telephone-event in the SDP of the scenarios
KEYS = "0123456789*#"


@cache
def speech(hertz: int, seconds: float, key: str = "", db: float = -12.0) -> bytes:
    """Return a capture file: a tone for `seconds`, then the key `key`.

    The tone is PCMU in packets of 20 ms, the key telephone events (RFC 4733). A second of silence
    follows the key, since a real phone never stops sending.
    """
    payloads = list(_tone(hertz, seconds, db))
    packets = [_rtp(0, index, index * PACKET_SAMPLES, tone) for index, tone in enumerate(payloads)]
    if key:
        packets += _key(key, len(packets))
        silence = bytes([0xFF]) * PACKET_SAMPLES
        first = len(packets)
        packets += [_rtp(0, n, n * PACKET_SAMPLES, silence) for n in range(first, first + 50)]
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    frames = (_frame(index * PACKET_SECONDS, packet) for index, packet in enumerate(packets))
    return head + b"".join(frames)


def _tone(hertz: int, seconds: float, db: float) -> Iterator[bytes]:
    """Yield a sine in μ-law, packet by packet."""
    times = np.arange(int(seconds / PACKET_SECONDS) * PACKET_SAMPLES) / RATE
    samples = 10 ** (db / 20) * np.sin(2 * np.pi * hertz * times)
    order = np.argsort(ULAW)
    known = ULAW[order]
    places = np.searchsorted((known[1:] + known[:-1]) / 2, samples)
    octets = order[places].astype(np.uint8)
    for at in range(0, len(octets), PACKET_SAMPLES):
        yield octets[at : at + PACKET_SAMPLES].tobytes()


def _key(key: str, first: int) -> list[bytes]:
    """Yield the events of a key for 0.1 s: durations that increase, and the end three times."""
    event, began = KEYS.index(key), first * PACKET_SAMPLES
    lengths = [*range(1, 6), 6, 6, 6]
    return [
        _rtp(
            EVENT_TYPE,
            first + index,
            began,
            struct.pack(">BBH", event, (index > 4) << 7 | 10, length * PACKET_SAMPLES),
            marker=index == 0,
        )
        for index, length in enumerate(lengths)
    ]


def _rtp(kind: int, number: int, timestamp: int, payload: bytes, marker: bool = False) -> bytes:
    head = struct.pack(">BBHII", 0x80, marker << 7 | kind, number & 0xFFFF, timestamp, 0x5EED)
    return head + payload


def _frame(at: float, rtp: bytes) -> bytes:
    """Return RTP in UDP in IPv4 in Ethernet; SIPp sets addresses, ports and checksums."""
    udp = struct.pack(">HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
    lengths = (0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    here = bytes((127, 0, 0, 1))
    frame = bytes(12) + b"\x08\x00" + struct.pack(">BBHHHBBH4s4s", *lengths, here, here) + udp
    whole, part = divmod(round(at * 1_000_000), 1_000_000)
    return struct.pack("<IIII", whole, part, len(frame), len(frame)) + frame
