"""A transfer with the fewest requests that ARI allows and nothing else: what to compare with.

    bare_transfer.py ARI_URL PASSWORD DESTINATION

No row, no file, no care: it takes each call of the application `bare`, rings DESTINATION, joins
the two and records the bridge.
"""

import json
import sys
import uuid
from base64 import b64encode
from urllib.parse import urlencode, urlsplit

import websocket

from callytics.ari.connections import ConnectionPool

APP = "bare"


def main(url: str, password: str, destination: str) -> None:
    """Take calls for ever."""
    # The same connections as the worker's, so that only the worker's care makes the difference.
    http = ConnectionPool(url, connect_seconds=3, keep=1)
    login = {"Authorization": f"Basic {b64encode(f'callytics:{password}'.encode()).decode()}"}
    root = urlsplit(url).path
    events = websocket.create_connection(
        f"{url.replace('http', 'ws', 1)}/events?app={APP}&api_key=callytics:{password}"
    )
    print("ready", flush=True)
    callers: dict[str, tuple[str, str]] = {}

    def send(method: str, path: str, **query: str) -> None:
        http.request(method, f"{root}/{path}?{urlencode(query)}", None, login, seconds=35)

    while True:
        event = json.loads(events.recv())
        if event["type"] != "StasisStart":
            continue
        channel = event["channel"]["id"]
        if event["args"][0] != "dialed":
            bridge, leg = uuid.uuid4().hex, uuid.uuid4().hex
            callers[leg] = (channel, bridge)
            send("POST", f"bridges/{bridge}", type="mixing")
            send("POST", f"channels/{channel}/ring")
            send("POST", f"channels/{leg}", endpoint=destination, app=APP, appArgs="dialed")
            continue
        caller, bridge = callers.pop(channel)
        send("POST", f"channels/{caller}/answer")
        send("POST", f"bridges/{bridge}/addChannel", channel=f"{caller},{channel}")
        send("POST", f"bridges/{bridge}/record", name=bridge, format="wav")


if __name__ == "__main__":
    main(*sys.argv[1:])
