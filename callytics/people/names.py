"""Names of accounts: one normal form for sign-in and its limits, and the rules for a new name."""

import re
import unicodedata

from callytics.audit.authors import PROGRAM

NAME_MAX = 64
# Longer input is cut: no account has such a name.
_LONGEST_INPUT = 1000


class UnusableNameError(ValueError):
    """A name that no account can have; the message says why."""


def account_name(typed: str) -> str:
    """Return the normal form of a typed name, which finds the account and counts the attempts.

    Two spellings that sign in to one account have one form, so no spelling gives more attempts.
    """
    folded = unicodedata.normalize("NFKC", typed[:_LONGEST_INPUT]).casefold()
    # NUL and other control characters, invisible ones, and spaces: no name has any of them.
    kept = "".join(c for c in folded if unicodedata.category(c)[0] not in "CZ")
    return unicodedata.normalize("NFKC", kept)


def check_new_name(name: str) -> str:
    """Return a name that a new account may have. Raises UnusableNameError."""
    if not re.fullmatch(rf"[A-Za-z0-9._@-]{{1,{NAME_MAX}}}", name):
        raise UnusableNameError("must be 1 to 64 letters, digits, '.', '_', '@' and '-'")
    if account_name(name) in PROGRAM:
        raise UnusableNameError(f"{name} is a name that Callytics itself uses; choose another")
    return name
