"""Play audio: a prompt for the caller, never recorded."""

from typing import Literal

from callytics.flows.fields import Field
from callytics.flows.node_types.base import NodeType
from callytics.flows.parts import Media, Name, NodePart
from callytics.flows.phrases import sound


class PlayAudio(NodePart):
    """Node that plays a prompt."""

    type: Literal["play_audio"]
    media: Media
    next: Name | None = None


NODE_TYPE = NodeType(
    model=PlayAudio,
    order=10,
    label="Play audio",
    about="Plays a prompt to the caller, then goes on. Never recorded.",
    default_name="greeting",
    fields=(
        Field(
            "media",
            "Prompt",
            "sound",
            "A sound that Asterisk has. This is never recorded.",
            phrase="the prompt",
        ),
    ),
    next_label="Then go on with",
    edge_label="then",
    icon='<path d="M3 8v4h3l4 3.5v-11L6 8zM13 7.5a3.5 3.5 0 0 1 0 5M15.3 5a7 7 0 0 1 0 10"/>',
    live_icon="hears",
    live_words="Hears {node}",
    summary=lambda node: f"plays {sound(node['media'])}",
    results={"played": "Played to its end", "unplayable": "Could not be played"},
)
