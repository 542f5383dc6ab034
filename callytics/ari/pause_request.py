"""Pause request: a user event that asks the worker to pause or resume a recording.

Sent through Asterisk, whose event reaches the one worker that controls the call: pages and worker
otherwise share only the database, which the worker does not poll.
"""

from typing import Literal

from callytics.ari.commands import Ari

# Name of the event. Its variables: the recording's name, the action, and the person who asks.
PAUSE_REQUEST = "callytics-recording"
Action = Literal["pause", "resume"]


def request_pause(ari: Ari, recording_name: str, action: Action, username: str) -> None:
    """Send the request. The recording's row shows when it was carried out. Raises AriError."""
    variables = {"recording": recording_name, "action": action, "by": username}
    ari.user_event(PAUSE_REQUEST, variables)
