"""Column type of the pauses of a recording."""

from sqlalchemy import JSON, Dialect, TypeDecorator

from callytics.json_values import Json
from callytics.recordings import pauses


class PausedSpans(TypeDecorator[pauses.Spans]):
    """Pauses as a JSON list, NULL for none.

    Read as a tuple, which is hashable, so that a row can be compared and cached by its values.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: pauses.Spans | None, dialect: Dialect) -> Json:
        return [span.to_values() for span in value] if value else None

    def process_result_value(self, value: Json, dialect: Dialect) -> pauses.Spans:
        return pauses.spans_from_json(value)
