"""The least that a page can be: a Flask view that says nothing."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def empty() -> str:
    """Nothing."""
    return ""


@app.get("/healthz")
def healthz() -> str:
    """So that whoever started it knows when it answers."""
    return ""
