"""Slow queries: the one who searches is told, and no other request waits."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import requests

from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, wav_bytes, without_keeping
from tests.support.waiting import wait_until

SOUND = wav_bytes(bytes(1000))
# Pages that read no tags, while each row of the library is read with its tags.
OTHERS = ("/healthz", "/calls", "/live", "/queues", "/users", "/settings")
COUNT_LONG = """
    ALTER TABLE tags RENAME TO tags_kept;
    CREATE VIEW tags AS
        SELECT id, recording_uid, tag FROM tags_kept
        UNION ALL
        SELECT 0, '', '' FROM (
            WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000000)
            SELECT max(n) AS most FROM n
        ) WHERE most < 0;
"""


@pytest.fixture
def web(any_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """Run a server of one process for all requests, and kill it with the queries that still run."""
    with Web(any_env, tmp_path) as web:
        yield web
        web.kill()


@pytest.fixture
def shelf(web: Web) -> Shelf:
    return Shelf.of(web.environment)


@pytest.fixture
def rita(web: Web, shelf: Shelf) -> Iterator[requests.Session]:
    shelf.add_person("rita", "admin")
    with without_keeping(signed_in(web.url, "rita")) as session:
        yield session


@pytest.fixture
def ask_others(web: Web, shelf: Shelf, rita: requests.Session) -> Callable[[], None]:
    """Return a function that requests pages which need nothing that the search waits for."""
    sound = shelf.add(SOUND, caller_name="Anna")

    def ask() -> None:
        for path in (*OTHERS, f"/recordings/{sound.uid}/audio"):
            answer = rita.get(f"{web.url}{path}", timeout=60)
            assert answer.ok, path
        assert answer.content == SOUND

    # The first request also loads what later ones find loaded.
    ask()
    return ask


@contextmanager
def searching(web: Web, rita: requests.Session) -> Iterator[Future[requests.Response]]:
    with all_searching(web, rita, 1) as slow:
        yield slow[0]


@contextmanager
def all_searching(
    web: Web, rita: requests.Session, number: int
) -> Iterator[list[Future[requests.Response]]]:
    def search(which: int) -> requests.Response:
        url = f"{web.url}/recordings?q=anna&from=2026-01-{which + 1:02}"
        # A connection of its own, as another browser has.
        headers = {"User-Agent": str(rita.headers["User-Agent"])}
        return requests.get(url, cookies=rita.cookies.get_dict(), headers=headers, timeout=120)

    with ThreadPoolExecutor(number) as pool:
        yield [pool.submit(search, which) for which in range(number)]


def check_a_new_listening(web: Web, shelf: Shelf, rita: requests.Session) -> None:
    """Check that a listening is still written to the audit, however many searches run."""
    new = shelf.add(SOUND)
    assert rita.get(f"{web.url}/recordings/{new.uid}/audio", timeout=60).content == SOUND
    assert shelf.accesses(new) == [("rita", "play")]


def check_refused(answer: requests.Response) -> None:
    assert answer.status_code == 503
    assert "The search took too long. Choose fewer days, or try again in a minute." in answer.text


@contextmanager
def tags_locked(web: Web) -> Iterator[psycopg.Connection]:
    """Lock the tags in PostgreSQL until the connection that is yielded is rolled back."""
    with psycopg.connect(web.environment["DATABASE_URL"]) as lock:
        lock.execute("LOCK TABLE tags IN ACCESS EXCLUSIVE MODE")
        yield lock


def let_tags_take_long(web: Web) -> None:
    """Make each read of the tags in SQLite count for longer than a search may take."""
    path = web.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(COUNT_LONG)


def somebody_waits(lock: psycopg.Connection) -> bool:
    query = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'tags'::regclass"
    return lock.execute(query).fetchone() is not None


@pytest.mark.slow
@pytest.mark.parametrize("any_env", ["postgresql"], indirect=True)
def test_nobody_waits_for_a_search_that_waits_for_a_lock(web, rita, ask_others) -> None:
    with tags_locked(web) as lock:
        with searching(web, rita) as slow:
            wait_until(lambda: somebody_waits(lock), "the search waits")
            ask_others()
            check_refused(slow.result())
        wait_until(lambda: not somebody_waits(lock), "it is broken off")
        with searching(web, rita) as slow:
            wait_until(lambda: somebody_waits(lock), "another search waits")
            ask_others()
            lock.rollback()
            assert slow.result().ok
            assert "Anna" in slow.result().text


@pytest.mark.slow
@pytest.mark.parametrize("any_env", ["postgresql"], indirect=True)
def test_many_searches_leave_connections_for_others(web, shelf, rita, ask_others) -> None:
    with tags_locked(web) as lock:
        with all_searching(web, rita, 20) as slow:
            wait_until(lambda: somebody_waits(lock), "they wait")
            ask_others()
            assert not any(search.done() for search in slow)
        assert {search.result().status_code for search in slow} == {503}


@pytest.mark.slow
@pytest.mark.parametrize("any_env", ["postgresql"], indirect=True)
def test_the_library_itself_says_that_it_takes_too_long(web, rita) -> None:
    with tags_locked(web):
        check_refused(rita.get(f"{web.url}/recordings", timeout=60))


def counted(web: Web) -> int:
    """Return the CPU time, in 1/100 s, of the busiest thread but the one that serves requests."""
    assert web.process
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text()
    worker = Path(f"/proc/{int(children)}/task")
    beside = [task for task in worker.iterdir() if int(task.name) != int(children)]
    times = [(task / "stat").read_text().rpartition(")")[2].split()[11:13] for task in beside]
    return max((sum(map(int, both)) for both in times), default=0)


@pytest.mark.slow
@pytest.mark.parametrize("any_env", ["sqlite"], indirect=True)
def test_nobody_waits_for_a_search_that_counts_for_long(web, rita, ask_others) -> None:
    let_tags_take_long(web)
    before = counted(web)
    with searching(web, rita) as slow:
        wait_until(lambda: counted(web) > before + 20, "the search is at work")
        ask_others()
        assert not slow.done()
        check_refused(slow.result())
    before = counted(web)
    wait_until(lambda: counted(web) > before + 20, "it goes on beside")
    ask_others()


@pytest.mark.slow
@pytest.mark.parametrize("any_env", ["sqlite"], indirect=True)
def test_many_searches_leave_threads_for_others(web, shelf, rita, ask_others) -> None:
    let_tags_take_long(web)
    before = counted(web)
    with all_searching(web, rita, 12) as slow:
        wait_until(lambda: counted(web) > before + 20, "they are at work")
        ask_others()
        check_a_new_listening(web, shelf, rita)
        assert not any(search.done() for search in slow)
    assert {search.result().status_code for search in slow} == {503}
