"""Every input of every route with values that no page sends: words or a page, quickly, never 500.

Routes come from `url_map`, fields from the forms of the pages, and every other name from what the
views ask of their requests, so a new one is tried by itself.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.routing import IntegerConverter

from callytics.database.engine import Base, db
from callytics.recordings import notes
from callytics.settings.settings import set_setting
from tests.flows.test_flow_document import DOCUMENT
from tests.security.asking import noting
from tests.security.walk import forms
from tests.support.flow_pages import use_document
from tests.support.shelf import Shelf, wav_bytes

# As they stand in an address: what is no text is among them.
HUGE = "9" * 30
VALUES: dict[str, str] = {
    "negative": "-1",
    "huge": HUGE,
    "more than 64 bits": "9223372036854775808",
    "more than 32 bits": "4294967296",
    "thousands of digits": "9" * 5000,
    "exponent": "1e309",
    "not a number": "NaN",
    "other digits": "%d9%a3%c2%b3%e2%91%a0",
    "NUL": "1%001",
    "line breaks": "a%0d%0aX: 1%1b[2J%e2%80%a8",
    "wrong UTF-8": "%ff%fe%c0%80",
    "half a surrogate": "%ed%a0%80",
    "long": "x" * 20_000,
    "markup": "%3Cscript%3E%22'%7B%7B1%7D%7D%25s%25",
    "path": "..%2f..%2fetc/passwd%00",
    "cursor": HUGE + "-" + HUGE,
    "date": "99999-12-31",
    "JSON": "%7B%22a%22:" + "%5B" * 3000,
}
# Only in forms: as long as a form may be, and where reading it twice over would show.
LONG_VALUES = {
    "words": "1+" * 250_000,
    "lines": "PJSIP/a%0a" * 60_000,
    "times": "00:01+" * 80_000,
    "spaces": "+" * 500_000 + "x",
    "commas": "a," * 250_000,
    "brackets": "(" * 500_000,
    "numbers": "%7B%22flows%22:%7B%22m%22:%7B%22start%22:%22a%22,%22nodes%22:%7B%22a%22:%7B"
    "%22type%22:%22play_audio%22,%22media%22:%22sound:a%22%7D%7D,%22numbers%22:%5B"
    + ",".join(f'"{n}"' for n in range(60_000))
    + "%5D%7D%7D%7D",
    "names twice": "%7B" + "".join(f'"{n}":1,' for n in range(40_000)) + '"39999":1%7D',
}
# Of the CPU, which other work on the machine hardly changes: several times what any of them takes,
# and a fraction of what reading it twice over took.
SLOW_CPU_SECONDS = 3.0


@dataclass
class House:
    """An installation with one thing of each kind, and its state to go back to."""

    shelf: Shelf
    client: FlaskClient
    uid: str
    state: dict[Any, list[Any]] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def remember(self) -> None:
        """Take the rows of all tables as the state to go back to."""
        with self.shelf.app.app_context(), db.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                self.state[table] = [dict(r) for r in connection.execute(table.select()).mappings()]

    def restore(self) -> None:
        """Go back to the state that was remembered."""
        with self.shelf.app.app_context(), db.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
            for table, rows in self.state.items():
                if rows:
                    connection.execute(insert(table), rows)
        path = next(iter(self.state[Base.metadata.tables["recordings"]]))["path"]
        self.shelf.storage.write(path, wav_bytes(b"\1\0" * 8000))

    def send(self, what: str, method: str, url: str, form: str | bytes = "", **more: Any) -> None:
        """Make one request and note how it went."""
        if form or method == "POST":
            more = {"content_type": "application/x-www-form-urlencoded", **more, "data": form}
        before = time.process_time()
        answer = self.client.open(url, method=method, **more)
        answer.close()
        cpu = time.process_time() - before
        self.tried[what] += 1
        self.slowest = max(self.slowest, (cpu, f"{method} {url} {what}"))
        if answer.status_code >= 500 or cpu > SLOW_CPU_SECONDS:
            how = f"{answer.status_code} in {cpu:.1f} s of CPU"
            self.wrong.append(f"{how}: {method} {url[:150]} ({what})")


@pytest.fixture
def house(any_env: dict[str, str]) -> House:
    """An installation on each database."""
    return furnished(any_env)


@pytest.fixture
def small_house(app_env: dict[str, str]) -> House:
    """An installation on SQLite, for what does not reach the database."""
    return furnished(app_env)


def furnished(environment: dict[str, str]) -> House:
    """Return an installation with everything that a page can show; an administrator signed in."""
    shelf = Shelf.of(environment)
    shelf.add_person("ada", "admin")
    shelf.add_person("rita")
    shelf.app.config["WTF_CSRF_ENABLED"] = False
    # What goes wrong is answered as it would be to a person.
    shelf.app.config["PROPAGATE_EXCEPTIONS"] = False
    use_document(shelf, DOCUMENT)
    shelf.add_call("call1")
    facts = shelf.add(wav_bytes(b"\1\0" * 8000), call_uid="call1", duration_ms=1000)
    with shelf.app.app_context():
        notes.add_note(facts.uid, "00:01 hello", "ada")
        notes.add_tag(facts.uid, "first", "ada")
        set_setting("longest_pause_seconds", "60", "ada")
    client = shelf.app.test_client()
    form = {"username": "ada", "password": "correct horse"}
    assert client.post("/login", data=form).status_code == 303
    assert client.post("/searches", data={"name": "mine", "query": "kind=queue"}).status_code < 400
    made = House(shelf, client, facts.uid)
    made.remember()
    return made


@dataclass(frozen=True)
class Route:
    """A route with one method; `path` has a place for each argument."""

    method: str
    endpoint: str
    arguments: dict[str, str]
    build: Callable[[dict[str, str]], str]

    def path(self, **changed: str) -> str:
        """Return its path."""
        return self.build({**self.arguments, **changed})


# Ends the session that walks; the sign-in has tests of its own, and hashes passwords.
SKIPPED = ("static", "login.sign_out", "login.sign_in", "account.change_password", "health.readyz")


def routes(house: House) -> Iterator[Route]:
    """Yield each route of the application once for each of its methods."""
    known = {"uid": house.uid, "name": "main", "flow_name": "main", "key": "retention_days"}
    known["change"] = "pause"
    for rule in house.shelf.app.url_map.iter_rules():
        arguments = {
            name: "1"
            if isinstance(rule._converters[name], IntegerConverter)
            else known.get(name, "main")
            for name in rule.arguments
        }

        def build(values: dict[str, str], rule: Any = rule) -> str:
            path = "".join(values[text] if is_dynamic else text for is_dynamic, text in rule._trace)
            return path.removeprefix("|")

        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            if rule.endpoint not in SKIPPED:
                yield Route(method, rule.endpoint, arguments, build)


def test_no_path_breaks_a_page(house: House) -> None:
    for route in routes(house):
        for name in route.arguments:
            for what, value in VALUES.items():
                house.send(what, route.method, route.path(**{name: value}))
    print(house.tried)
    assert house.wrong == []


def test_no_parameter_breaks_a_page(house: House) -> None:
    fields = {(f.method.upper(), f.action.partition("?")[0]): f for f in forms(house.client)}
    with noting(house.shelf.app) as asked:
        for route in routes(house):
            path = route.path()
            form = fields.get((route.method, path))
            given = dict(form.values) if form else {}
            _try_parameters(house, route.method, path, given, asked)
            if route.method == "POST":
                house.restore()
    print(sum(house.tried.values()), house.slowest, house.tried)
    assert house.wrong == [], "\n".join(house.wrong)


def _try_parameters(
    house: House, method: str, path: str, given: dict[str, str], asked: dict[str, set[str]]
) -> None:
    """Try each name that is asked for, until no request asks for another."""
    for names in asked.values():
        names.clear()
    if method == "POST":
        asked["form"].update(given)
    house.send("nothing", method, path)
    house.send("as the page", method, path, urlencode(given))
    done: set[tuple[str, str]] = set()
    while todo := [
        (s, n) for s in ("args", "form") for n in sorted(asked[s]) if (s, n) not in done
    ]:
        for source, name in todo:
            done.add((source, name))
            if name != "csrf_token":
                _try_values(house, method, path, given, source, name, asked)


def _try_values(
    house: House,
    method: str,
    path: str,
    given: dict[str, str],
    source: str,
    name: str,
    asked: dict[str, set[str]],
) -> None:
    others = {n: given.get(n, "1") for n in asked["form"] if n != name}
    for what, value in VALUES.items():
        pair = f"{quote(name)}={value}"
        if source == "args":
            house.send(what, method, path, query_string=pair)
        else:
            house.send(what, method, path, f"{pair}&{urlencode(others)}")
    for what, value in LONG_VALUES.items() if source == "form" else ():
        house.send(what, method, path, f"{quote(name)}={value}")
    many = "&".join([f"{quote(name)}=1"] * 500)
    if source == "args":
        house.send("repeated", method, path, query_string=many)
    else:
        house.send("repeated", method, path, many)
        house.send("alone", method, path, f"{quote(name)}=1")


# What a browser, htmx or a proxy sends, and what decides about the answer.
HEADERS = ("Accept", "Accept-Language", "Cookie", "Host", "HX-Current-URL", "HX-Request", "Origin")
HEADERS += ("If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since")
HEADERS += ("Range", "Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto")
HEADERS += ("X-Callytics-Poll", "Authorization", "Content-Type")
HEADER_VALUES = (
    "-1",
    "9" * 5000,
    "x" * 20_000,
    "\xff\xfe",
    "http://[",
    "//[::1",
    "bytes=" + "9" * 40,
)
HEADER_VALUES += (
    "bytes=0-1," * 500,
    '"' * 500,
    "W/",
    "Wed, 99 Nov 99999 99:99:99 GMT",
    "a=b;" * 2000,
)
HEADER_VALUES += ("http://x/?kind=%ff&from=%00", "multipart/form-data; boundary=" + "=" * 500)


def test_no_header_breaks_a_page(small_house: House) -> None:
    paths = (
        "/recordings",
        f"/recordings/{small_house.uid}/audio",
        "/flows",
        "/users",
        "/live",
        "/login",
    )
    for path in paths:
        for name in HEADERS:
            for value in HEADER_VALUES:
                headers = {"HX-Request": "true", name: value}
                small_house.send(name, "GET", path, headers=headers)
    print(sum(small_house.tried.values()), small_house.slowest, small_house.tried)
    assert small_house.wrong == [], "\n".join(small_house.wrong)


BODIES = {
    "no multipart": ("multipart/form-data; boundary=x", b"nothing of it"),
    "cut off": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na"),
    "many parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n1\r\n' * 5000 + b"--x--",
    ),
    "many fields": ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 100_000)),
    "different fields": (
        "application/x-www-form-urlencoded",
        b"&".join(b"a%d=1" % n for n in range(90_000)),
    ),
    "no form": ("application/json", b"[" * 100_000),
    "wrong charset": ("application/x-www-form-urlencoded; charset=nonsense", b"text=\xff"),
    "too large": ("application/x-www-form-urlencoded", b"text=" + b"x" * 1_100_000),
}


def test_no_body_breaks_a_page(small_house: House) -> None:
    for route in routes(small_house):
        if route.method == "POST":
            for what, (kind, body) in BODIES.items():
                small_house.send(what, "POST", route.path(), body, content_type=kind)
            small_house.restore()
    print(sum(small_house.tried.values()), small_house.slowest, small_house.tried)
    assert small_house.wrong == [], "\n".join(small_house.wrong)
