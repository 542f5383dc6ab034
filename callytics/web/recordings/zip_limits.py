"""Limit of the ZIP archives that this process sends at the same time: of one person, and in all.

An archive of everything holds the rows of ten thousand recordings until its last byte is sent.
"""

from collections import Counter
from collections.abc import Callable

from flask import current_app

from callytics.web.http.error_pages import BusyError, TooManyAtOnceError

MOST_OF_PERSON, MOST = 2, 4


def begin_zip(user_id: int) -> Callable[[], None]:
    """Count an archive of this person; return the function that ends it, safe to call twice.

    Raises TooManyAtOnceError (429) and BusyError (503), with what to do.
    """
    running: Counter[int] = current_app.extensions.setdefault(__name__, Counter())
    if running[user_id] >= MOST_OF_PERSON:
        raise TooManyAtOnceError(
            f"{MOST_OF_PERSON} of your downloads are not finished. Wait for one, or stop it."
        )
    if running.total() >= MOST:
        raise BusyError("Others are downloading just now. Try again in a minute.")
    running[user_id] += 1
    is_running = True

    def end() -> None:
        nonlocal is_running
        if is_running:
            is_running = False
            running[user_id] -= 1
            if not running[user_id]:
                del running[user_id]

    return end
