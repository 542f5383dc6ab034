"""Commands of `flask`, run in the process of the test, which spares the start of another one.

That each command also works as a process is seen by one test of each, with `run_flask`.
"""

import subprocess

from tests.support.apps import app_of


def flask(
    environment: dict[str, str], *arguments: str, text: str = "", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `flask <arguments>` with `text` as its input; a failure fails the test with its words."""
    with app_of(environment) as app:
        done = app.test_cli_runner().invoke(args=arguments, input=text)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if check:
        assert done.exit_code == 0, f"flask {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
