"""Phone picker: the endpoints of Asterisk, offered for a field of dial strings."""

from flask import abort, current_app, render_template, request
from werkzeug.wrappers import Response

from callytics.ari.commands import Ari, AriError
from callytics.telephony.dial_strings import is_destination
from callytics.web.flows.context import pages
from callytics.web.flows.forms import PHONE_FIELDS
from callytics.web.http.list_pages import varied

blueprint = pages("flows_phones")

# In a longer list a phone takes longer to find than to type.
MOST = 40


@blueprint.get("/flows/phones")
def offer() -> Response:
    """Return buttons for a field; none if Asterisk does not answer, since phones can be typed."""
    field = request.args.get("field", "")
    if field not in PHONE_FIELDS:
        abort(404)
    html = render_template("flows/_phones.html", field=field, phones=_phones()[:MOST])
    return varied(Response(html, mimetype="text/html"))


def _phones() -> list[tuple[str, bool]]:
    """Return the dial string of each phone, and True if it is offline; sorted by name."""
    try:
        known = Ari(current_app.extensions["callytics"], pool=1).endpoints()
    except AriError:
        return []
    found = [(f"{each['technology']}/{each['resource']}", each["state"]) for each in known]
    return sorted((name, state == "offline") for name, state in found if is_destination(name))
