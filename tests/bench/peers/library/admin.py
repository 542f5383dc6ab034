"""The list page of the admin."""

from django.contrib import admin

from tests.bench.peers.library.models import Recording


@admin.register(Recording)
class RecordingAdmin(admin.ModelAdmin):
    """The same columns, search and filters as in Callytics; the choices need no query."""

    list_display = (
        *("started_at", "caller_number", "caller_name", "dialed_number", "callee"),
        *("kind", "direction", "state", "flow", "duration_ms"),
    )
    search_fields = ("caller_number", "caller_name", "dialed_number", "callee")
    list_filter = ("kind", "direction", "state")
    # Ids follow time. There is no index on the time itself, and sorting by that would take longer.
    ordering = ("-id",)
    list_per_page = 25
