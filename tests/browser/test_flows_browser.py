"""Setting up flows in a real Chromium: typed, checked, moved, published, with and without it."""

from playwright.sync_api import Page, expect

from tests.flows.test_flow_document import DOCUMENT, with_value
from tests.support.browser import LIGHT, PHONE_DARK, look, new_page, sign_in, wait_for_focus
from tests.support.flow_pages import published_document, use_document
from tests.support.waiting import wait_until

WAYS = (LIGHT, PHONE_DARK)
PHONES = "PJSIP/alice\nPJSIP/bob\nPJSIP/carol"


def press(page: Page, name: str) -> None:
    """Go to what is called so, and open it."""
    with page.expect_navigation():
        page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).click()


def test_a_flow_is_set_up_from_nothing_with_the_keyboard_and_each_field_is_checked(page, shelf):
    sign_in(page)
    page.goto("/flows/new")
    page.get_by_role("link", name="Greeting, ring phones").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_label("Numbers").focus()
    page.keyboard.type("one")
    page.keyboard.press("Tab")
    complaint = page.locator("#p-numbers")
    expect(complaint).to_have_text("“one” must be a number of digits, +, * and #.")
    expect(page.get_by_label("Numbers")).to_have_attribute("aria-invalid", "true")
    wait_until(lambda: page.evaluate("document.activeElement.name") == "destinations", "on we go")
    # As typed, without leaving the field.
    page.keyboard.type("alice")
    expect(page.locator("#p-destinations")).to_contain_text("“alice” must be a dial string")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(PHONES)
    expect(page.locator("#p-destinations")).to_have_text("")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("1000")
    expect(complaint).to_have_text("")
    expect(page.get_by_label("Numbers")).not_to_have_attribute("aria-invalid", "true")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Flow main")
    expect(page.get_by_text("Flow main is new: 1 number, 3 nodes.")).to_be_visible()
    page.get_by_role("button", name="Publish").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("published, for the next call")
    phones = published_document(shelf).flows["main"].nodes["phones"]
    assert (phones.destinations, phones.record_call) == (PHONES.split(), True)


def test_a_wrong_form_comes_back_with_the_focus_at_what_is_wrong(page, shelf):
    sign_in(page)
    page.goto("/flows/new?as=phone")
    page.get_by_label("Phone to ring").fill("alice")
    press(page, "Add this flow")
    expect(page.get_by_role("alert").filter(has_text="Nothing is changed yet")).to_be_visible()
    expect(page.get_by_label("Phone to ring")).to_be_focused()
    expect(page.get_by_label("Phone to ring")).to_have_value("alice")
    look(page)


SETTLING = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"


def test_a_node_that_is_moved_keeps_the_focus_and_says_where_it_is(page, shelf):
    use_document(shelf, DOCUMENT)
    sign_in(page)
    page.goto("/flows/main/")
    page.get_by_role("button", name="Move earlier: line").focus()
    for place, before in ((3, "team"), (2, "desk"), (1, "greeting")):
        page.keyboard.press("Enter")
        item = page.locator("ol.nodes > li").nth(place - 1)
        expect(item).to_have_attribute("id", "node-line")
        wait_for_focus(page, "Move earlier: line")
        expect(page.locator("ol.nodes > li").nth(place)).to_have_attribute("id", f"node-{before}")
        expect(page.locator("#status")).to_have_text("Node line comes earlier now.")
        # Before htmx has settled the form is a plain one, which no hand is fast enough to send.
        expect(page.locator(SETTLING)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Node line cannot come earlier.")
    expect(page.locator("#standing")).to_contain_text("it starts with line (before: greeting)")
    # The picture says the same, and leads to the form.
    page.locator("svg.picture a.node").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("line")


def test_every_page_can_be_used(page, shelf):
    document = with_value("flows.main.nodes.line.next", "greeting")
    name = "a" * 64
    team = {"type": "hunt_group", "destinations": ["PJSIP/a"] * 12, "ring_seconds": 299}
    document["flows"]["long"] = {"numbers": ["2000"], "start": name, "nodes": {name: team}}
    use_document(shelf, document, "bob")
    sign_in(page)
    pages = ["/flows", "/flows/main/", "/flows/long/", "/flows/new", "/flows/new?as=greeting"]
    pages += ["/flows/main/settings", "/flows/main/nodes/team", "/flows/main/add"]
    pages += ["/flows/main/add?type=queue", "/flows/main/nodes/desk/remove"]
    pages += ["/flows/queues/edit/support", "/flows/history", "/flows/history/1"]
    for url in (*pages, "/flows/import", "/flows/main/delete", "/flows/queues/delete/support"):
        page.goto(url)
        look(page, WAYS, url)
    page.goto("/flows/main/nodes/desk")
    page.get_by_label("Ring for").fill("33")
    press(page, "Keep in the draft")
    look(page, WAYS, "a draft")
    use_document(shelf, with_value("flows.main.numbers", ["3"]), "bob")
    for url in ("/flows", "/flows/draft", "/flows/history/1/take-back", "/flows/draft/discard"):
        page.goto(url)
        look(page, WAYS, f"{url} in conflict")


def test_all_of_it_works_without_javascript(browser, web, shelf):
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page)
        press(page, "Flows")
        press(page, "Set up the first flow")
        press(page, "Greeting, ring phones")
        page.get_by_label("Numbers").fill("1000")
        page.get_by_label("Phones to ring").fill("alice")
        press(page, "Add this flow")
        expect(page.locator("#p-destinations")).to_contain_text("must be a dial string")
        page.get_by_label("Phones to ring").fill(PHONES)
        press(page, "Add this flow")
        press(page, "Move later: greeting")
        press(page, "Add a node after phones")
        press(page, "Play audio")
        page.get_by_label("Prompt").fill("sound:tt-allbusy")
        page.get_by_label("Name").fill("sorry")
        press(page, "Add this node")
        press(page, "Remove greeting")
        press(page, "Remove")
        press(page, "Publish")
        flow = published_document(shelf).flows["main"]
        assert [flow.start, flow.nodes["phones"].next] == ["phones", "sorry"]
        assert flow.nodes["sorry"].next == "message"
        press(page, "History")
        press(page, "Version 1")
        expect(page.get_by_role("heading", name="What changed in it")).to_be_visible()


def test_two_administrators_at_once_in_two_windows(browser, web, shelf):
    use_document(shelf, DOCUMENT)
    shelf.add_person("bob", "admin")
    with new_page(browser, web.url) as ada, new_page(browser, web.url) as bob:
        for page, name, queue in ((ada, "ada", "20"), (bob, "bob", "40")):
            sign_in(page, name)
            page.goto("/flows/queues/edit/support")
            page.get_by_label("Ring for").fill(queue)
            press(page, "Keep in the draft")
        press(ada, "Publish")
        press(bob, "Publish")
        expect(bob.get_by_role("heading", level=1)).to_have_text(
            "Somebody else changed the flows too"
        )
        expect(bob.get_by_text("Your draft was not published")).to_be_visible()
        assert published_document(shelf).queues["support"].ring_seconds == 20
        bob.get_by_label("Keep mine of Queue support").check()
        press(bob, "Keep both in my draft")
        press(bob, "Publish")
        assert published_document(shelf).queues["support"].ring_seconds == 40
