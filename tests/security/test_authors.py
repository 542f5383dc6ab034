"""Authors: whatever a person writes has the id of the account, which no later account is given."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, select, text

from callytics.audit.authors import CALLYTICS, PROGRAM, RECONCILE, RETENTION
from callytics.cli.commands import operator
from callytics.config import load_config
from callytics.database.engine import Base
from callytics.database.reading import read
from callytics.people import users
from callytics.people.names import UnusableNameError, check_new_name
from callytics.recordings import notes
from tests.security.walk import forms
from tests.support.command import flask
from tests.support.pages import text_of
from tests.support.postgres import Postgres
from tests.support.processes import fresh_environment, run_flask
from tests.support.shelf import PASSWORD, Shelf, wav_bytes

# Columns that hold the name of an author.
NAMES = ("username", "saved_by", "changed_by", "author")
SPELLINGS = (str, str.upper, str.title)
TYPED = {"text": "a note", "tag": "seen", "name": "mine", "query": "q=1", "retention_days": "7"}


def authored() -> list[Base]:
    """Return each table whose rows have an author."""
    tables = [mapper.class_ for mapper in Base.registry.mappers]
    return [
        table
        for table in tables
        if table is not users.User and any(name in table.__table__.columns for name in NAMES)
    ]


def test_every_table_with_the_name_of_an_author_has_the_id_of_the_account() -> None:
    found = authored()
    assert len(found) >= 5
    assert [t.__tablename__ for t in found if "user_id" not in t.__table__.columns] == []


def test_whatever_form_a_person_sends_the_row_has_their_id(shelf: Shelf) -> None:
    facts = shelf.add(wav_bytes(bytes(4000)))
    client = shelf.client("ada")
    with shelf.app.app_context():
        ada = users.user_named("ada").id
        before = {table: {row.id for row in rows_of(table)} for table in authored()}
        rita = users.user_named("rita").id
    found = [form for form in forms(client, uid=facts.uid, user_id=rita) if form.method == "post"]
    written = set()
    # What others need is deleted last.
    for form in sorted(found, key=lambda form: form.action.endswith(("delete", "remove"))):
        if not form.action.startswith(("/login", "/logout")):
            client.send(form.action, {**form.values, **typed(form.values)}, buffered=True)
            with shelf.app.app_context():
                rows = [(t, r) for t in authored() for r in rows_of(t) if r.id not in before[t]]
            written |= {(table.__tablename__, row.user_id) for table, row in rows}
    names = {name for name, _id in written}
    assert names >= {"notes", "tags", "changes", "audit_entries"}
    assert written == {(name, ada) for name in names}


def typed(values: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in TYPED.items() if name in values}


def rows_of(table: type[Base]) -> list:
    return list(read(select(*table.__table__.columns)))


def test_what_a_removed_person_wrote_is_not_the_next_ones_of_that_name(shelf: Shelf) -> None:
    facts = shelf.add(wav_bytes(bytes(4000)))
    rita = shelf.client("rita")
    rita.send(f"/recordings/{facts.uid}/notes", {"text": "by the first rita"})
    rita.send(f"/recordings/{facts.uid}/tags", {"tag": "first"})
    rita.send("/searches", {"name": "by the first", "query": "q=1"})
    rita.get(f"/recordings/{facts.uid}/audio", buffered=True)
    ada = shelf.client("ada")
    ada.send(f"/users/{number(shelf)}/remove")
    shelf.add_person("rita")
    second = shelf.client("rita")
    with shelf.app.app_context():
        added = notes.annotations_of(facts.uid)
    refused = second.send(f"/recordings/{facts.uid}/notes/{added.notes[0].id}/delete")
    assert refused.status_code == 403
    assert second.send(f"/recordings/{facts.uid}/tags/remove", {"tag": "first"}).status_code == 403
    assert "by the first rita" in text_of(second.get(f"/recordings/{facts.uid}"))
    assert "by the first" not in text_of(second.get("/recordings"))
    second.get(f"/recordings/{facts.uid}/audio", buffered=True)
    assert [action for _name, action in shelf.accesses(facts)].count("play") == 2


def number(shelf: Shelf) -> int:
    with shelf.app.app_context():
        return users.user_named("rita").id


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("name", sorted(PROGRAM))
def test_no_user_can_have_the_name_of_a_part_of_the_program(name: str, spelled) -> None:
    assert {CALLYTICS, RETENTION, RECONCILE} <= PROGRAM
    with pytest.raises(UnusableNameError, match="Callytics itself uses"):
        check_new_name(spelled(name))


def test_form_and_command_refuse_the_names_of_the_program(shelf: Shelf) -> None:
    form = {"username": "Retention", "role": "admin", "password": PASSWORD}
    answer = shelf.client("ada").send("/users/add", form)
    assert answer.status_code == 400 and "Callytics itself uses" in text_of(answer)
    add = ("users", "add", "callytics", "--role", "admin", "--password-stdin")
    done = flask(shelf.environment, *add, text=f"{PASSWORD}\n", check=False)
    assert done.returncode == 1 and "Callytics itself uses" in done.stderr


def test_no_user_can_have_the_name_of_who_runs_a_command() -> None:
    with pytest.raises(UnusableNameError):
        check_new_name(operator())


@pytest.fixture(params=["sqlite", "postgresql"])
def old_env(request: pytest.FixtureRequest, tmp_path) -> Iterator[dict[str, str]]:
    """An installation of the schema before there were ids of authors."""
    environment = fresh_environment(tmp_path)
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = postgres.new_database()
    run_flask(environment, "db", "upgrade", "0024")
    yield environment


OLD_ROWS = """
    INSERT INTO users (id, username, password_hash, role, created_at) VALUES
        (3, 'ada', 'x', 'admin', '2026-01-01 00:00:00'), (7, 'rita', 'x', 'reviewer', '2026-06-01');
    INSERT INTO notes (recording_uid, text, username, created_at) VALUES
        ('r1', 'of another rita', 'rita', '2026-03-01 00:00:00'),
        ('r1', 'of this rita', 'rita', '2026-07-01 00:00:00'),
        ('r1', 'of somebody removed', 'carl', '2026-07-01 00:00:00');
    INSERT INTO audit_entries (at, username, action, recording_uid, detail) VALUES
        ('2026-07-01 00:00:00', 'retention', 'delete', 'r1', ''),
        ('2026-07-01 00:00:00', 'ada', 'play', 'r1', '');
    INSERT INTO saved_searches (user_id, name, query) VALUES (7, 'mine', 'q=1');
    INSERT INTO flow_drafts (user_id, base_id, changed_at, document)
        VALUES (3, 0, '2026-07-01 00:00:00', '{}')
"""


@pytest.mark.slow
def test_an_older_installation_gets_the_ids_of_those_who_are_there(old_env) -> None:
    engine = create_engine(load_config(old_env).database_url)
    with engine.begin() as connection:
        for statement in OLD_ROWS.replace("'2026-06-01'", "'2026-06-01 00:00:00'").split(";"):
            connection.execute(text(statement))
    for _ in range(2):
        run_flask(old_env, "db", "upgrade")
        with engine.begin() as connection:
            ids = [
                tuple(row) for row in connection.execute(text("SELECT text, user_id FROM notes"))
            ]
            assert dict(ids) == {
                "of another rita": None,
                "of this rita": 7,
                "of somebody removed": None,
            }
            logged = "SELECT username, user_id FROM audit_entries"
            assert dict(map(tuple, connection.execute(text(logged)))) == {
                "retention": None,
                "ada": 3,
            }
            assert connection.scalar(text("SELECT user_id FROM saved_searches")) == 7
            assert connection.scalar(text("SELECT user_id FROM flow_drafts")) == 3
        run_flask(old_env, "db", "downgrade", "0024")
    engine.dispose()
    run_flask(old_env, "db", "upgrade")
    if "sqlite" in old_env["DATABASE_URL"]:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM users WHERE id = 7"))
        engine.dispose()
        with Shelf.of(old_env).app.app_context():
            users.add_user("rita", "reviewer", PASSWORD, changed_by="tests")
            assert users.user_named("rita").id == 8
