"""Calls with asyncari: the same commands as the worker's, and nothing else.

    asyncari_calls.py URL PASSWORD DESTINATION

URL is that of Asterisk, without `ari`. It gets all events: the library cannot ask Asterisk to
filter them, and loses track of who is in a bridge without them.
"""

import sys
import uuid
from typing import Any

import anyio
import asyncari

APP = "callytics"


class Call:
    """One call: its ids, and what has happened to it."""

    def __init__(self, caller: str) -> None:
        self.uid = uuid.uuid4().hex[:20]
        self.caller = caller
        self.leg, self.bridge = f"leg-{self.uid}", f"callytics-bench-{self.uid}"
        self.recording = f"2026/11/22/{self.uid}"
        self.answered, self.over, self.closed = anyio.Event(), anyio.Event(), anyio.Event()


async def lead(ari: Any, call: Call, destination: str) -> None:
    """Take one call from its beginning to its end."""
    await ari.bridges.createWithId(bridgeId=call.bridge, type="mixing", name=call.caller)
    await ari.applications.subscribe(applicationName=APP, eventSource=[f"bridge:{call.bridge}"])
    await ari.channels.ring(channelId=call.caller)
    await ari.channels.originateWithId(
        channelId=call.leg,
        endpoint=destination,
        app=APP,
        appArgs=f"dialed,{call.uid}",
        timeout=20,
        originator=call.caller,
    )
    await call.answered.wait()
    await ari.channels.answer(channelId=call.caller)
    await ari.bridges.addChannel(bridgeId=call.bridge, channel=[call.caller, call.leg])
    await ari.bridges.record(bridgeId=call.bridge, name=call.recording, format="wav")
    await call.over.wait()
    await ari.recordings.stop(recordingName=call.recording)
    await call.closed.wait()
    await ari.channels.hangup(channelId=call.leg)
    await ari.bridges.destroy(bridgeId=call.bridge)


async def main(url: str, password: str, destination: str) -> None:
    """Take calls for ever."""
    calls: dict[str, Call] = {}
    async with asyncari.connect(url, APP, "callytics", password) as ari:
        async for event in ari:
            if event["type"] == "StasisStart" and event["args"][0] != "dialed":
                call = Call(event["channel"]["id"])
                calls |= {call.caller: call, call.leg: call, call.recording: call}
                ari.taskgroup.start_soon(lead, ari, call, destination)
            elif event["type"] == "StasisStart":
                calls[event["channel"]["id"]].answered.set()
            elif event["type"] == "StasisEnd" and event["channel"]["id"] in calls:
                call = calls.pop(event["channel"]["id"])
                call.over.set()
            elif event["type"] == "RecordingFinished":
                calls.pop(event["recording"]["name"]).closed.set()


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
