"""The columns that the lists show and search."""

from django.db import models


def _choices(*names: str) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class Recording(models.Model):
    """A row of the table that Callytics made."""

    id = models.BigIntegerField(primary_key=True)
    started_at = models.DateTimeField()
    caller_number = models.TextField()
    caller_name = models.TextField()
    dialed_number = models.TextField()
    callee = models.TextField()
    flow = models.TextField()
    duration_ms = models.IntegerField(null=True)
    kind = models.TextField(
        choices=_choices("transfer", "queue", "hunt_group", "outbound", "voicemail")
    )
    direction = models.TextField(choices=_choices("inbound", "outbound"))
    state = models.TextField(
        choices=_choices("requested", "recording", "available", "failed", "missing")
    )

    class Meta:
        """Made and changed by Callytics alone."""

        managed = False
        db_table = "recordings"
