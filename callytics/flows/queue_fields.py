"""Form fields of a queue."""

from dataclasses import replace

from callytics.flows.fields import NAME, PHONE_HINT, RING, Field

STRATEGIES = {
    "ring_all": "All who are free, at once",
    "longest_idle": "Whoever has been free the longest",
    "random": "One of those who are free, at random",
}
QUEUE_FIELDS = (
    NAME,
    Field(
        "members", "Members", "lines", f"One phone in each line, {PHONE_HINT}", phrase="the members"
    ),
    Field(
        "strategy",
        "Who is rung",
        "choice",
        default="longest_idle",
        choices=STRATEGIES,
        phrase="who is rung",
    ),
    replace(RING, default=15, hint="Then the next who is free is rung."),
    Field(
        "wrap_up_seconds",
        "Time to write things up",
        "number",
        "How long after a call a member is left alone.",
        0,
        "seconds",
        phrase="the time to write things up",
    ),
    Field(
        "music",
        "Music",
        hint="A class of musiconhold.conf.",
        default="default",
        phrase="the music",
    ),
)
