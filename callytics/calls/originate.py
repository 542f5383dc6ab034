"""Origination: calls that Callytics places, for click-to-call and as a test."""

from callytics.ari.commands import Ari, AriError
from callytics.config import Config
from callytics.flows import versions
from callytics.identifiers import new_placed_channel, new_uid
from callytics.settings.settings import all_settings
from callytics.telephony.dial_strings import is_destination
from callytics.telephony.numbers import check_number

TEST_NUMBER = "1000"
# Ringing time of the person's own phone.
RING_SECONDS = 60


def place_test_call(config: Config) -> None:
    """Place a call from a simulated caller to the sample flow. Needs an app context.

    Raises AriError with what to do if it cannot be placed.
    """
    if versions.current().flow_for(TEST_NUMBER) is None:
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


def place_call(config: Config, endpoint: str, number: str, placed_by: str = "") -> None:
    """Ring a person's own `endpoint`, then call `number` as a direct outbound call.

    The row of the call shows who placed it. Needs an app context. Raises NumberError, and AriError
    with what to do if the endpoint cannot be rung or no outbound endpoint is set.
    """
    check_number(number)
    if not is_destination(endpoint):
        raise AriError(f"{endpoint!r} must be a dial string such as PJSIP/alice")
    if not all_settings()["outbound_endpoint"]:
        raise AriError("No number outside can be called: outbound_endpoint is not set in Settings")
    try:
        Ari(config).originate(
            endpoint,
            channel_id=new_placed_channel(),
            app_args=",".join(filter(None, ("outbound", number, endpoint, placed_by))),
            ring_seconds=RING_SECONDS,
            caller_id=number,
        )
    except AriError as error:
        if error.status == 500:
            raise AriError(f"Asterisk knows no {endpoint}; see pjsip.conf", 500) from error
        raise
