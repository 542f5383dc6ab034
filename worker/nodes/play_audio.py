"""Play Audio node: plays a prompt to the caller; never recorded."""

from callytics.ari.commands import AriError
from callytics.flows.node_types.play_audio import PlayAudio
from callytics.identifiers import new_uid
from worker.calls import caller_audio
from worker.calls.session import Session

# Longer than any prompt: if PlaybackFinished is lost, the call must still go on.
LONGEST_SECONDS = 600.0


def run(session: Session, node: PlayAudio) -> str:
    """Play the prompt to its end; return `played` or `unplayable`. Raises CallerGone."""
    caller_audio.stop_and_answer(session)
    return play(session, node.media)


def play(session: Session, media: str) -> str:
    """Play `media` to the caller and wait for its end. Raises CallerGone."""
    playback_id = f"callytics-{new_uid()}"
    session.services.register(playback_id, session)
    try:
        session.ari.play(session.caller_id, media, playback_id)
    except AriError as error:
        session.wait_for_hangup(error)
        return "unplayable"
    session.playback_id = playback_id
    for event in session.events(LONGEST_SECONDS):
        if event["type"] == "PlaybackFinished" and event["playback"]["id"] == playback_id:
            return "played" if event["playback"]["state"] == "done" else "unplayable"
    return "unplayable"
