"""How a page asks the worker to pause a recording or to let it go on.

Through Asterisk, whose event reaches the one worker that leads the call: nothing else connects
the two but the database, which the worker does not watch.
"""

from typing import Literal

from callytics.ari.commands import Ari

# What the event is called, and what it says: the recording's name, the action, by whom.
WISH = "callytics-recording"
Action = Literal["pause", "resume"]


def ask_worker(ari: Ari, recording_name: str, action: Action, username: str) -> None:
    """Let the worker know. That it did so is told by the recording's row. Raises AriError."""
    ari.user_event(WISH, {"recording": recording_name, "action": action, "by": username})
