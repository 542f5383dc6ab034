"""Flask-Admin over the library."""

import os

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
_url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
_options = f"-c statement_timeout={os.environ['PEER_PATIENCE_MS']}"
app.config.update(
    SECRET_KEY="benchmark",
    SQLALCHEMY_DATABASE_URI=_url,
    SQLALCHEMY_ENGINE_OPTIONS=(
        {} if _url.startswith("sqlite") else {"connect_args": {"options": _options}}
    ),
)
db = SQLAlchemy(app)


class Recording(db.Model):
    """A row of the table that Callytics made."""

    __tablename__ = "recordings"

    id = db.Column(db.BigInteger, primary_key=True)
    started_at = db.Column(db.DateTime)
    caller_number = db.Column(db.Text)
    caller_name = db.Column(db.Text)
    dialed_number = db.Column(db.Text)
    callee = db.Column(db.Text)
    kind = db.Column(db.Text)
    direction = db.Column(db.Text)
    state = db.Column(db.Text)
    flow = db.Column(db.Text)
    duration_ms = db.Column(db.Integer)


class RecordingView(ModelView):
    """The same columns, search and filters as in Callytics."""

    column_list = (
        *("started_at", "caller_number", "caller_name", "dialed_number", "callee"),
        *("kind", "direction", "state", "flow", "duration_ms"),
    )
    column_searchable_list = ("caller_number", "caller_name", "dialed_number", "callee")
    column_sortable_list = ("duration_ms",)
    column_filters = ("duration_ms", "kind", "direction", "state")
    named_filter_urls = True
    # Ids follow time. There is no index on the time itself, and sorting by that would take longer.
    column_default_sort = ("id", True)
    page_size = 25


Admin(app, name="recordings").add_view(RecordingView(Recording, db.session, endpoint="list"))
