// Times that grow: each is told once by the server and counted on here, so that nobody asks for it.

const shown = document.querySelector("[data-now]");
// This computer's clock may be minutes off.
const ahead = shown ? Date.now() - new Date(shown.dataset.now) : 0;

function minutes(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const short = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? short : `${Math.floor(whole / 3600)}:${short}`;
}

function count() {
  const now = Date.now() - ahead;
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = minutes((now - new Date(element.dataset.since)) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

count();
setInterval(count, 1000);
// What was made two seconds ago and comes into the page now is right at once.
new MutationObserver(count).observe(document.getElementById("main"), { childList: true, subtree: true });
