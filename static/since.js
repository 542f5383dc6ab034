// How long something lasts already, ticking: the page says since when, and what time the server has.

const shown = document.querySelector("[data-now]");
// The clock of this computer may be wrong by minutes.
const ahead = shown ? Date.now() - Number(shown.dataset.now) : 0;

function minutes(ms) {
  const whole = Math.max(0, Math.floor(ms / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const short = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? short : `${Math.floor(whole / 3600)}:${short}`;
}

function tick() {
  const now = Date.now() - ahead;
  for (const element of document.querySelectorAll("[data-since]")) {
    const words = minutes(now - Date.parse(element.dataset.since));
    if (element.textContent !== words) element.textContent = words;
  }
}

tick();
setInterval(tick, 1000);
// What has just come shows no other time first.
new MutationObserver(tick).observe(document.getElementById("main"), { childList: true, subtree: true });
