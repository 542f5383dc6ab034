"""Voicemail node: plays a greeting and a beep, and records the message."""

from callytics.flows.node_types.voicemail import Voicemail
from worker.calls import caller_audio
from worker.calls.leg import CallerGone
from worker.calls.session import Session
from worker.nodes.play_audio import play
from worker.recording.live_recording import LiveRecording

# Seconds after `max_seconds` in which Asterisk must report the end of a message.
GRACE_SECONDS = 10.0


def run(session: Session, node: Voicemail) -> str:
    """Return `message`, `nothing_said` or `not_recorded`. Raises CallerGone.

    `#`, silence, the time limit and a hang-up end the message; it is kept in each case.
    """
    caller_audio.stop_and_answer(session)
    session.call.disposition = "no_answer"
    # In an adopted call, the worker that died has started the recording already.
    recording = session.recordings[0] if session.recordings else _greet_and_begin(session, node)
    try:
        session.wait_until(lambda: recording.finished, node.max_seconds + GRACE_SECONDS)
    except CallerGone:
        session.call.leave(_keep(session, recording))
        raise
    return _keep(session, recording)


def _greet_and_begin(session: Session, node: Voicemail) -> LiveRecording:
    play(session, node.greeting)
    recording = session.new_recording("voicemail", "ulaw", "")
    session.start_recording(recording, lambda name: _record(session, node, name))
    return recording


def _record(session: Session, node: Voicemail, name: str) -> None:
    session.ari.record_channel(
        session.caller_id, name, "ulaw", node.max_seconds, node.max_silence_seconds
    )


def _keep(session: Session, recording: LiveRecording) -> str:
    """Complete the recording, or discard it if it is empty; return the result of the node."""
    recording.stop(session.wait_until)
    if recording.is_empty():
        session.discard_recording(recording)
        return "nothing_said"
    session.complete_recording(recording)
    return "message" if recording.facts.state == "available" else "not_recorded"
