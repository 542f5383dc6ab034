"""Lookup of the recording that a URL names."""

from flask import abort

from callytics.recordings import library
from callytics.recordings.library import RecordingDetailRow


def recording_or_404(uid: str) -> RecordingDetailRow:
    """Return the row of a recording; abort with 404 if there is none."""
    return found_or_404(library.recording(uid))


def found_or_404(row: RecordingDetailRow | None) -> RecordingDetailRow:
    """Return `row`; abort with 404 if it is None."""
    if row is None:
        abort(404, "There is no such recording. It may have been deleted.")
    return row
