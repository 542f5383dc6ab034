"""A transfer with the fewest requests that ARI allows and nothing else: what to compare with.

    bare_transfer.py ARI_URL PASSWORD DESTINATION

No row, no file, no care: it takes each call of the application `bare`, rings DESTINATION, joins
the two and records the bridge.
"""

import json
import sys
import uuid
from urllib.parse import urlencode

import urllib3
import websocket

APP = "bare"


def main(url: str, password: str, destination: str) -> None:
    """Take calls for ever."""
    # The same library as the worker's, so that only the worker's care makes the difference.
    http = urllib3.PoolManager(headers=urllib3.make_headers(basic_auth=f"callytics:{password}"))
    events = websocket.create_connection(
        f"{url.replace('http', 'ws', 1)}/events?app={APP}&api_key=callytics:{password}"
    )
    print("ready", flush=True)
    callers: dict[str, tuple[str, str]] = {}

    def send(method: str, path: str, **query: str) -> None:
        http.request(method, f"{url}/{path}?{urlencode(query)}")

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
