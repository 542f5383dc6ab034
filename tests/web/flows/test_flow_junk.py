"""Random input to the flow pages: accepted or refused with a message, never an error."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from callytics.flows.document import check
from callytics.flows.node_types import NODE_TYPES
from tests.flows.test_flow_document import DOCUMENT
from tests.support.flow_pages import draft_of, published_document, use_document
from tests.support.pages import HTMX, PageClient
from tests.support.shelf import Shelf


@pytest.fixture
def admin(shelf: Shelf) -> PageClient:
    use_document(shelf, DOCUMENT)
    return shelf.client("ada")


@pytest.mark.parametrize(
    "url",
    [
        *("/flows/{}/", "/flows/{}/settings", "/flows/{}/delete", "/flows/{}/add"),
        *("/flows/main/nodes/{}", "/flows/main/nodes/{}/remove"),
        *("/flows/queues/edit/{}", "/flows/queues/delete/{}"),
    ],
)
def test_what_is_not_there_is_not_found(admin, url):
    for name in ("a" * 3000, "ä", "<b>", "%00", "main%2Fnodes", "a b", "nobody"):
        answer = admin.get(url.format(name), follow_redirects=True)
        assert answer.status_code == 404, name
        assert "<b>" not in answer.get_data(as_text=True)
    assert admin.get(url.format("..")).status_code < 500


junk = st.text(max_size=30) | st.sampled_from(["0", "-1", "1e9", "PJSIP/x", "sound:x", "desk", ""])
NAMES = ("name", "numbers", "start", "destinations", "destination", "media", "greeting", "queue")
NAMES += ("ring_seconds", "max_seconds", "max_silence_seconds", "max_wait_seconds", "strategy")
NAMES += ("members", "music", "wrap_up_seconds", "next", "after", "to", "seen", "text", "do")
URLS = [
    *(f"/flows/new?as={kind}" for kind in ("greeting", "queue", "phone", "empty")),
    *(f"/flows/main/add?type={kind}" for kind in NODE_TYPES),
    *(f"/flows/main/nodes/{name}" for name in DOCUMENT["flows"]["main"]["nodes"]),
    *("/flows/main/settings", "/flows/queues/new", "/flows/queues/edit/support"),
    *("/flows/main/nodes/desk/move", "/flows/draft", "/flows/import", "/flows/draft/keep-both"),
    *("/flows/history/1/take-back", "/flows/check?form=node&flow=main&type=queue&field=name"),
    *("/flows/check?form=start&as=queue&field=members", "/flows/check?form=flow&flow=main"),
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(url=st.sampled_from(URLS), form=st.dictionaries(st.sampled_from(NAMES), junk))
def test_whatever_is_typed_is_taken_or_refused_in_words(admin, shelf, url, form):
    if not hasattr(admin, "kept_token"):
        admin.kept_token = admin.token()
    headers = HTMX if "/check" in url else {}
    data = {"csrf_token": admin.kept_token, **form}
    answer = admin.post(url, data=data, headers=headers)
    assert answer.status_code < 500
    assert admin.get("/flows").status_code == 200
    for name in draft_of(admin)["flows"]:
        assert admin.get(f"/flows/{name}/").status_code == 200
    check(published_document(shelf).model_dump())
