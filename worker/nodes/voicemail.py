"""The Voicemail node: a greeting, a beep, and what the caller says after it."""

from callytics.flows.node_types.voicemail import Voicemail
from worker.calls import caller_audio
from worker.calls.leg import CallerGone
from worker.calls.session import Session
from worker.nodes.play_audio import play
from worker.recording.live_recording import LiveRecording

# How long after its own limits Asterisk may take to tell that a message has ended.
GRACE_SECONDS = 10.0


def run(session: Session, node: Voicemail) -> str:
    """`message`, `nothing_said` or `not_recorded`. Raises CallerGone.

    `#`, silence, the longest time and a hang-up end the message, and it is kept in each case.
    """
    caller_audio.stop_and_answer(session)
    session.call.disposition = "no_answer"
    # One that goes on already was begun by a worker that died.
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
    """Keep what was said; a message in which nothing was said is none."""
    recording.stop(session.wait_until)
    if recording.is_empty():
        session.discard_recording(recording)
        return "nothing_said"
    session.complete_recording(recording)
    return "message" if recording.facts.state == "available" else "not_recorded"
