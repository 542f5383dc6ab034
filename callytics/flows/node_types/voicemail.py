"""Voicemail: plays a greeting and records a message; the greeting is not recorded."""

from typing import Annotated, Literal

from pydantic import Field as Checked

from callytics.flows.fields import Field
from callytics.flows.node_types.base import NodeType
from callytics.flows.parts import Media, Name, NodePart
from callytics.flows.phrases import seconds


class Voicemail(NodePart):
    """Node that takes a message."""

    type: Literal["voicemail"]
    greeting: Media = "sound:vm-intro"
    max_seconds: Annotated[int, Checked(ge=1, le=3600)] = 120
    max_silence_seconds: Annotated[int, Checked(ge=1, le=60)] = 10
    next: Name | None = None


NODE_TYPE = NodeType(
    model=Voicemail,
    order=50,
    label="Voicemail",
    about="Plays a greeting and takes a message. Always recorded.",
    default_name="message",
    fields=(
        Field("greeting", "Greeting", "sound", default="sound:vm-intro", phrase="the greeting"),
        Field(
            "max_seconds",
            "Longest message",
            "number",
            default=120,
            unit="seconds",
            phrase="the longest message",
        ),
        Field(
            "max_silence_seconds",
            "End after a silence of",
            "number",
            "The caller can also end it with # or hang up.",
            10,
            "seconds",
            phrase="the silence that ends a message",
        ),
    ),
    next_label="After the message, go on with",
    edge_label="after the message",
    icon=(
        '<circle cx="5.5" cy="10" r="3.2"/><circle cx="14.5" cy="10" r="3.2"/>'
        '<path d="M5.5 13.2h9"/>'
    ),
    live_icon="message",
    live_words="Leaves a message",
    summary=lambda node: f"up to {seconds(node['max_seconds'])}, recorded",
    results={
        "message": "A message was left",
        "nothing_said": "Nothing was said",
        "not_recorded": "The message was not recorded",
    },
    is_final=True,
    recording="always",
)
