// Calls with node-ari-client: the same commands as the worker's, and nothing else.
//
//     node calls.js MODULES URL PASSWORD DESTINATION EVENT_TYPE...
//
// MODULES is the folder of the packages; URL is that of Asterisk, without `ari`; the types are
// those of the events that Asterisk is asked not to send.
"use strict";
const crypto = require("crypto");
const [modules, url, password, destination, ...unused] = process.argv.slice(2);
const client = require(`${modules}/ari-client`);

const APP = "callytics";
const callers = new Map();
const legs = new Map();
const recordings = new Map();

function once() {
  let happens;
  const happened = new Promise((resolve) => { happens = resolve; });
  return { happened, happens };
}

async function lead(ari, caller) {
  const uid = crypto.randomBytes(10).toString("hex");
  const leg = `leg-${uid}`, bridge = `callytics-bench-${uid}`, recording = `2026/11/22/${uid}`;
  const [answered, over, closed] = [once(), once(), once()];
  callers.set(caller, over);
  legs.set(leg, answered);
  recordings.set(recording, closed);
  await ari.bridges.createWithId({ bridgeId: bridge, type: "mixing", name: caller });
  await ari.applications.subscribe({ applicationName: APP, eventSource: `bridge:${bridge}` });
  await ari.channels.ring({ channelId: caller });
  await ari.channels.originateWithId({
    channelId: leg, endpoint: destination, app: APP, appArgs: `dialed,${uid}`, timeout: 20,
    originator: caller,
  });
  await answered.happened;
  await ari.channels.answer({ channelId: caller });
  await ari.bridges.addChannel({ bridgeId: bridge, channel: [caller, leg] });
  await ari.bridges.record({ bridgeId: bridge, name: recording, format: "wav" });
  await over.happened;
  await ari.recordings.stop({ recordingName: recording });
  await closed.happened;
  await ari.channels.hangup({ channelId: leg });
  await ari.bridges.destroy({ bridgeId: bridge });
}

function happens(waiting, name) {
  const event = waiting.get(name);
  waiting.delete(name);
  if (event) event.happens();
}

async function main() {
  const ari = await client.connect(url, "callytics", password);
  ari.on("StasisStart", (event, channel) => {
    if (event.args[0] === "dialed") happens(legs, channel.id);
    else lead(ari, channel.id);
  });
  ari.on("StasisEnd", (event, channel) => happens(callers, channel.id));
  ari.on("RecordingFinished", (event, recording) => happens(recordings, recording.name));
  await ari.start(APP);
  const disallowed = unused.map((type) => ({ type }));
  await ari.applications.filter({ applicationName: APP, filter: { disallowed } });
}

process.on("unhandledRejection", (error) => { console.error(error); process.exit(1); });
main();
