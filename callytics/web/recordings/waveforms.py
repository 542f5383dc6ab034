"""The waveform of a recording for its player; computed late where it was not when it ended."""

import logging
from functools import cache
from typing import Any

import gevent
from flask import Flask, current_app
from gevent.threadpool import ThreadPool

from callytics.audio import waveform
from callytics.recordings import ledger, library
from callytics.recordings.pauses import MOST_PAUSES, confirmed
from callytics.storage.folder import Storage, StorageError

log = logging.getLogger(__name__)

# A player opens without its waveform rather than late; the next time it is there.
PATIENCE_SECONDS = 0.5
WIDTH, HEIGHT = 4 * waveform.BARS, 64
# Below this a recording is quiet and not to be drawn as if it were loud.
_LEAST_SCALE = 48


def shape_of(row: Any) -> waveform.Waveform:
    """The shape of a recording's row, or a flat one while it is not known."""
    kept = library.waveform(row.uid)
    if kept is not None or row.state != "available":
        return waveform.Waveform.from_bytes(kept or b"")
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        # Around spawn as well, which waits while the thread is busy with another one's.
        with gevent.Timeout(PATIENCE_SECONDS):
            return _pool().spawn(_look, app, row.uid, row.path).get()
    except gevent.Timeout:
        return waveform.FLAT
    except (OSError, ValueError, StorageError) as error:
        log.warning("recording %s: its waveform cannot be computed: %s", row.uid, error)
        return waveform.FLAT


@cache
def _pool() -> ThreadPool:
    # One thread a process, however many players are opened; made after gunicorn has forked.
    return ThreadPool(1)


def _look(app: Flask, uid: str, path: str) -> waveform.Waveform:
    storage: Storage = app.extensions["storage"]
    shape = waveform.measure(storage.resolve(path))
    try:
        with app.app_context():
            ledger.save_waveform(uid, shape.to_bytes())
    except Exception as error:  # a database that is locked must not hide what was found
        log.warning("recording %s: its waveform is not kept: %r", uid, error)
    return shape


def svg_path(shape: waveform.Waveform) -> str:
    """The bars as the path of an SVG of WIDTH by HEIGHT, to be drawn with a stroke."""
    scale = max(_LEAST_SCALE, *shape.bars)
    heights = (max(2, bar * (HEIGHT - 4) // scale) for bar in shape.bars)
    bars = (f"M{4 * at + 2} {(HEIGHT - high) // 2}v{high}" for at, high in enumerate(heights))
    return "".join(bars)


def gaps(row: Any) -> list[float]:
    """Where a recording was paused, in hundredths of its length."""
    places = [span.at_ms or 0 for span in confirmed(row.pauses)]
    return [round(100 * at / max(row.duration_ms or 0, at, 1), 2) for at in places[:MOST_PAUSES]]


def spans(shape: waveform.Waveform) -> str:
    """Silent spans for the player's script, in ms: `1200-3400 5000-9000`."""
    return " ".join(f"{begin}-{end}" for begin, end in shape.silences)
