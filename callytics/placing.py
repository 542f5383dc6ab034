"""Calls that Callytics itself places."""

from callytics import flow_document
from callytics.ari import Ari, AriError
from callytics.config import Config
from callytics.facts import new_uid

TEST_NUMBER = "1000"


def place_test_call(config: Config) -> None:
    """Let the sample caller call the sample flow. Needs an app context.

    Raises AriError with what to do when it cannot be placed.
    """
    if flow_document.current().flow_for(TEST_NUMBER) is None:
        raise AriError(
            f"No flow has the number {TEST_NUMBER}: import the sample with "
            "`flask flows import deploy/sample_flow.json`"
        )
    Ari(config).originate_to_dialplan(
        endpoint=f"Local/{TEST_NUMBER}@from-trunk/n",
        channel_id=f"callytics-test-{new_uid()}",
        context="parties",
        extension="caller",
        caller_id='"Test caller" <5550100>',
    )
