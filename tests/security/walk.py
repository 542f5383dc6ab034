"""All routes, forms and commands of the product: a new one is tried without being listed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import click
import html5lib
from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from tests.support.pages import PageClient

# Not pages: files, and what ends the session that walks.
SKIPPED = ("static", "login.sign_out")


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, and the value and type of each field."""

    page: str
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def named(self, kind: str) -> list[str]:
        """Return the fields of one type, or with this value of autocomplete."""
        return [name for name, types in self.types.items() if kind in types.split()]


def addresses(app: Flask, method: str, **known: object) -> Iterator[tuple[str, str]]:
    """Yield endpoint and address of each route of this method, with the values of `known`."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if method in (rule.methods or ()) and rule.endpoint not in SKIPPED:
                values = {name: known.get(name, _sample(rule, name)) for name in rule.arguments}
                _host, path = rule.build(values) or ("", "")
                yield rule.endpoint, path


def _sample(rule: Rule, name: str) -> object:
    converter = rule._converters[name]
    if isinstance(converter, AnyConverter):
        return sorted(converter.items)[0]
    return 1 if isinstance(converter, IntegerConverter) else "main"


def forms(client: PageClient, **known: object) -> list[Form]:
    """Return each form that any page shows to this client, one for each action."""
    found: dict[tuple[str, str], Form] = {}
    for _endpoint, url in addresses(client.application, "GET", **known):
        answer = client.get(url, buffered=True)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for form in _forms_of(url, answer.get_data(as_text=True)):
                found.setdefault((form.method, form.action), form)
    return list(found.values())


def _forms_of(url: str, html: str) -> Iterator[Form]:
    page = html5lib.parse(html, namespaceHTMLElements=False)
    for form in page.iter("form"):
        made = Form(url, urljoin(url, form.get("action", "")), form.get("method", "get").lower())
        for tag in ("input", "textarea", "select"):
            for element in form.iter(tag):
                name = element.get("name")
                if name and name != "csrf_token":
                    made.values[name] = _value(element)
                    types = (element.get("type", tag), element.get("autocomplete", ""))
                    made.types[name] = " ".join(types)
        yield made


def _value(element: Element) -> str:
    if element.tag == "select":
        options = element.findall("option")
        chosen = [option for option in options if option.get("selected") is not None]
        return (chosen or options)[0].get("value", "") if options else ""
    return element.get("value") or element.text or ""


def commands(app: Flask) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the words and the object of each command of `flask` that the product adds."""
    for name, command in app.cli.commands.items():
        yield from _below((name,), command)


def _below(
    words: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _below((*words, name), below)
    else:
        yield words, command
