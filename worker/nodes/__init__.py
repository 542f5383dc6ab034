"""What a flow is made of: one file a node, one public function each."""

from collections.abc import Callable, Mapping
from typing import Any

from worker.calls.session import Session
from worker.nodes.hunt_group import hunt_group
from worker.nodes.play_audio import play_audio
from worker.nodes.queue import queue
from worker.nodes.transfer import transfer
from worker.nodes.voicemail import voicemail

# A node's function returns its result in one word; `answered` means that a conversation took
# place, which ends the flow.
NODES: Mapping[str, Callable[[Session, Any], str]] = {
    "play_audio": play_audio,
    "transfer": transfer,
    "hunt_group": hunt_group,
    "queue": queue,
    "voicemail": voicemail,
}
