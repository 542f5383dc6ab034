"""A recording that starts while the two are only being joined is heard of."""

import json
from base64 import b64encode

import websocket

from callytics.ari.commands import Ari
from callytics.config import load_config
from tests.support.asterisk import AsteriskServer


def test_the_start_of_a_recording_is_told_before_anybody_is_in_the_bridge(
    asterisk: AsteriskServer, live_env: dict[str, str]
) -> None:
    ari = Ari(load_config({**live_env, "ARI_APP": "early"}))
    credentials = b64encode(f"callytics:{live_env['ARI_PASSWORD']}".encode()).decode()
    events = websocket.create_connection(
        live_env["ARI_URL"].replace("http", "ws", 1) + "/events?app=early",
        timeout=60,
        header={"Authorization": f"Basic {credentials}"},
    )
    try:
        ari.create_bridge("early", "early")
        ari.subscribe_to_bridge("early")
        ari.record_bridge("early", "early", "wav")
        while json.loads(events.recv())["type"] != "RecordingStarted":
            pass
        ari.stop_recording("early")
        while json.loads(events.recv())["type"] != "RecordingFinished":
            pass
    finally:
        events.close()
        ari.delete_bridge("early")
