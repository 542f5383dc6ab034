"""WebSocket with a bound: no event, whole or in fragments, is larger than Asterisk's may be."""

from collections.abc import Callable
from typing import cast

import websocket

MOST_BYTES = 4 << 20


class BoundedSocket(websocket.WebSocket):
    """WebSocket that ends with a WebSocketPayloadException at an event that is too large."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # as the library calls it
        self._in_fragments = 0
        read: Callable[[int], bytes] = self.frame_buffer.recv_strict

        def read_bounded(count: int) -> bytes:
            _check(count)
            return read(count)

        # The length of a frame is read before its content.
        vars(self.frame_buffer)["recv_strict"] = read_bounded

    def recv_frame(self) -> websocket.ABNF:
        """Receive a frame."""
        frame = cast(websocket.ABNF, super().recv_frame())  # type: ignore[no-untyped-call]
        self._in_fragments += len(frame.data)
        _check(self._in_fragments)
        if frame.fin:
            self._in_fragments = 0
        return frame


def _check(count: int) -> None:
    if count > MOST_BYTES:
        raise websocket.WebSocketPayloadException(f"an event of {count} bytes is none of Asterisk")
