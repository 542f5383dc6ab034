"""Waveform of a recording for its player, as an SVG path; computed on demand if not stored."""

import logging
from functools import cache

import gevent
from flask import Flask, current_app
from gevent.threadpool import ThreadPool

from callytics.audio import waveform
from callytics.audio.waveform import FLAT, Waveform
from callytics.recordings import ledger, library
from callytics.recordings.library import RecordingRow
from callytics.recordings.pauses import MOST_PAUSES, confirmed
from callytics.storage.folder import Storage, StorageError

log = logging.getLogger(__name__)

# A player opens without its waveform if computing it takes longer; then it is stored.
PATIENCE_SECONDS = 0.5
WIDTH, HEIGHT = 4 * waveform.BARS, 64
# A recording whose loudest bar is below this is drawn as quiet.
_LEAST_SCALE = 48


def waveform_of(row: RecordingRow) -> Waveform:
    """Return the waveform of a recording; a flat one while it is unknown."""
    stored = library.waveform(row.uid)
    if stored is not None or row.state != "available":
        return Waveform.from_bytes(stored or b"")
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of a LocalProxy
    try:
        # The timeout covers the spawn too, which waits while the thread is in use.
        with gevent.Timeout(PATIENCE_SECONDS):
            measured = _pool().spawn(_measure, app, row.uid, row.path).get()
            return measured or FLAT
    except gevent.Timeout:
        return FLAT
    except (OSError, ValueError, StorageError) as error:
        log.warning("recording %s: its waveform cannot be computed: %s", row.uid, error)
        return FLAT


@cache
def _pool() -> ThreadPool:
    # One thread per process, made after gunicorn has forked.
    return ThreadPool(1)


def _measure(app: Flask, uid: str, path: str) -> Waveform:
    storage: Storage = app.extensions["storage"]
    measured = waveform.measure(storage.resolve(path))
    try:
        with app.app_context():
            ledger.save_waveform(uid, measured.to_bytes())
    except Exception as error:  # the player needs the waveform, also while the database is locked
        log.warning("recording %s: its waveform is not kept: %r", uid, error)
    return measured


def svg_path(measured: Waveform) -> str:
    """Return the bars as the path of an SVG of WIDTH by HEIGHT, to be drawn with a stroke."""
    scale = max(_LEAST_SCALE, *measured.bars)
    heights = (max(2, bar * (HEIGHT - 4) // scale) for bar in measured.bars)
    bars = (f"M{4 * at + 2} {(HEIGHT - high) // 2}v{high}" for at, high in enumerate(heights))
    return "".join(bars)


def gaps(row: RecordingRow) -> list[float]:
    """Return the places where a recording was paused, in percent of its length."""
    places = [span.at_ms or 0 for span in confirmed(row.pauses)]
    return [round(100 * at / max(row.duration_ms or 0, at, 1), 2) for at in places[:MOST_PAUSES]]


def spans(measured: Waveform) -> str:
    """Return the silent spans in ms as the player's script reads them: `1200-3400 5000-9000`."""
    return " ".join(f"{begin}-{end}" for begin, end in measured.silences)
