// The player. <audio> does the work; this shows where it is, and remembers what one likes.

const STEP_SECONDS = 5;
const FAR_SECONDS = 30;
const REMEMBERED = 200;

// --- What is kept in the browser: likings, and where somebody stopped. Of the recording only its
// random name is kept, never who called.

const person = document.querySelector("[data-person]")?.dataset.person || "";
const LIKINGS = "callytics.player";
const PLACES = `callytics.places.${person}`;

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) || {};
  } catch {
    return {}; // a browser that keeps nothing, or somebody else's text
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // then it is not remembered
  }
}

function keepPlace(uid, seconds) {
  const places = read(PLACES);
  delete places[uid]; // the newest stands last
  if (seconds > 0) places[uid] = Math.round(seconds * 10) / 10;
  const newest = Object.entries(places).slice(-REMEMBERED);
  keep(PLACES, Object.fromEntries(newest));
}

// --- One player.

function minutes(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const short = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? short : `${Math.floor(whole / 3600)}:${short}`;
}

class Player {
  constructor(box) {
    this.box = box;
    this.audio = box.querySelector("audio");
    this.wave = box.querySelector(".wave");
    this.toggle = box.querySelector("[data-do=toggle]");
    this.speed = box.querySelector(".speed");
    this.heard = box.querySelector(".heard");
    this.told = -1;
    this.silences = box.dataset.silence.split(" ").filter(Boolean)
      .map((span) => span.split("-").map((ms) => Number(ms) / 1000));
    this.audio.controls = false;
    box.querySelector(".controls").hidden = false;
    this.listen();
    this.takeLikings();
    this.goOnWhereStopped();
  }

  listen() {
    for (const event of ["play", "pause", "ended"]) this.audio.addEventListener(event, () => this.showState());
    for (const event of ["timeupdate", "seeked", "durationchange"]) this.audio.addEventListener(event, () => this.show());
    this.audio.addEventListener("play", () => { pauseOthers(this.audio); this.run(); });
    this.audio.addEventListener("pause", () => this.keepPlace());
    this.audio.addEventListener("ended", () => this.end());
    this.toggle.addEventListener("click", () => this.playOrPause());
    this.box.querySelector("[data-do=back]").addEventListener("click", () => this.seek(this.at - STEP_SECONDS));
    this.box.querySelector("[data-do=forward]").addEventListener("click", () => this.seek(this.at + STEP_SECONDS));
    this.speed.addEventListener("change", () => this.like("speed", this.speed.value));
    for (const box of this.box.querySelectorAll("[data-like]")) {
      box.addEventListener("change", () => this.like(box.dataset.like, box.checked));
    }
    this.wave.addEventListener("keydown", (event) => this.onKey(event));
    this.wave.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.wave.setPointerCapture(event.pointerId);
      this.seekTo(event);
    });
    this.wave.addEventListener("pointermove", (event) => {
      if (this.wave.hasPointerCapture(event.pointerId)) this.seekTo(event);
    });
  }

  get at() {
    return this.audio.currentTime;
  }

  get length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : Number(this.box.dataset.ms) / 1000;
  }

  playOrPause() {
    // A browser that forbids it leaves the button as it was.
    if (this.audio.paused) this.audio.play().catch(() => {});
    else this.audio.pause();
  }

  seek(seconds) {
    const to = Math.min(Math.max(seconds, 0), this.length);
    this.audio.currentTime = to;
    this.show(to);
    if (this.audio.paused) this.keepPlace(to);
  }

  seekTo(event) {
    const box = this.wave.getBoundingClientRect();
    this.seek(((event.clientX - box.left) / box.width) * this.length);
  }

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const to = {
      ArrowRight: this.at + STEP_SECONDS, ArrowUp: this.at + STEP_SECONDS,
      ArrowLeft: this.at - STEP_SECONDS, ArrowDown: this.at - STEP_SECONDS,
      PageUp: this.at + FAR_SECONDS, PageDown: this.at - FAR_SECONDS,
      Home: 0, End: this.length,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.seek(to);
  }

  // --- What is seen.

  run() {
    if (this.audio.paused || !this.box.isConnected) return;
    this.show();
    requestAnimationFrame(() => this.run());
  }

  show(at = this.at) {
    if (this.skipSilence()) return;
    const length = this.length;
    this.heard.setAttribute("width", length ? (800 * Math.min(at / length, 1)).toFixed(1) : 0);
    if (Math.floor(at) === this.told && length === this.toldLength) return;
    [this.told, this.toldLength] = [Math.floor(at), length];
    this.box.querySelector(".now").textContent = minutes(at);
    this.box.querySelector(".whole").textContent = minutes(Math.round(length));
    this.wave.setAttribute("aria-valuemax", Math.round(length));
    this.wave.setAttribute("aria-valuenow", Math.floor(at));
    this.wave.setAttribute("aria-valuetext", `${minutes(at)} of ${minutes(Math.round(length))}`);
    if (!this.audio.paused && this.told % 5 === 0) this.keepPlace();
    markNote(this);
  }

  showState() {
    const playing = !this.audio.paused && !this.audio.ended;
    this.box.classList.toggle("playing", playing);
    this.box.closest("tbody")?.classList.toggle("playing", playing);
    this.toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.show();
  }

  skipSilence() {
    if (!likings.skip || this.audio.paused || this.audio.seeking) return false;
    const span = this.silences.find(([begin, end]) => this.at >= begin && this.at < end - 0.1);
    if (span) this.audio.currentTime = span[1];
    return Boolean(span);
  }

  // --- What is remembered.

  like(name, value) {
    likings[name] = value;
    keep(LIKINGS, likings);
    players.forEach((player) => player.takeLikings());
  }

  takeLikings() {
    this.speed.value = likings.speed || "1";
    if (!this.speed.value) this.speed.value = "1";
    this.audio.preservesPitch = true;
    this.audio.defaultPlaybackRate = this.audio.playbackRate = Number(this.speed.value);
    for (const box of this.box.querySelectorAll("[data-like]")) box.checked = Boolean(likings[box.dataset.like]);
  }

  keepPlace(at = this.at) {
    if (!this.audio.ended) keepPlace(this.box.dataset.player, at);
  }

  goOnWhereStopped() {
    const at = read(PLACES)[this.box.dataset.player];
    if (!(at > 2 && at < this.length - 2)) return;
    this.seek(at);
    document.getElementById("status").textContent = `Goes on at ${minutes(at)}, where you stopped.`;
  }

  end() {
    keepPlace(this.box.dataset.player, 0);
    if (likings.next) playNextAfter(this.box);
  }
}

// --- Notes: their marks lead to a place, and a new one begins with the place one is at.

const ONLY_A_MARK = /^([\d:]+ ?)?$/;

function playerAt(element) {
  const around = element.closest("tbody, .listen, .recorded");
  return players.get(around?.querySelector("[data-player]"));
}

document.addEventListener("click", (event) => {
  const mark = event.target.closest("a[data-seek]");
  const player = mark && !event.ctrlKey && !event.metaKey && playerAt(mark);
  if (!player) return;
  event.preventDefault();
  player.seek(Number(mark.dataset.seek));
  if (player.audio.paused) player.playOrPause();
});
// The mark goes along with the sound until somebody writes.
function markNote(player) {
  const field = document.activeElement;
  if (!field.matches("[data-note]") || playerAt(field) !== player || !ONLY_A_MARK.test(field.value)) return;
  // Not while somebody has selected it or moved in it.
  if (field.selectionStart !== field.value.length) return;
  if (player.at > 0) field.value = `${minutes(player.at)} `;
}

document.addEventListener("focusin", (event) => {
  const player = event.target.matches("[data-note]") && playerAt(event.target);
  if (player) markNote(player);
});
document.addEventListener("focusout", (event) => {
  if (event.target.matches("[data-note]") && ONLY_A_MARK.test(event.target.value)) event.target.value = "";
});

// --- All players of the page.

const likings = read(LIKINGS);
const players = new Map();

function pauseOthers(mine) {
  for (const audio of document.querySelectorAll("audio")) {
    if (audio !== mine) audio.pause();
  }
}

function playNextAfter(box) {
  let row = box.closest("tbody");
  if (!row) return;
  const opener = (of) => of.querySelector("a[data-opens=player]");
  const from = row;
  do row = row.nextElementSibling; while (row && !opener(row));
  if (!row) {
    document.getElementById("status").textContent = "That was the last recording on this page.";
    return;
  }
  from.querySelector("tr.player [data-close]")?.click();
  const open = row.querySelector("[data-player]");
  if (open) players.get(open)?.playOrPause();
  else opener(row).click();
}

function enhance(within) {
  for (const box of players.keys()) if (!box.isConnected) players.delete(box);
  for (const box of within.querySelectorAll("[data-player]")) {
    if (!players.has(box)) players.set(box, new Player(box));
  }
}

document.addEventListener("htmx:load", (event) => {
  const arrived = event.detail.elt;
  enhance(arrived);
  if (!arrived.matches("tr.player")) return;
  // Whoever opened the player wants to hear it, and to have its keys at hand.
  const player = players.get(arrived.querySelector("[data-player]"));
  player.toggle.focus();
  player.playOrPause();
});
// Errors do not bubble, so they are caught on their way down. Of several sources the last one's
// says that none can be played.
document.addEventListener("error", (event) => {
  if (!event.target.matches("audio, audio > source:last-child")) return;
  event.target.closest("[data-player]").querySelector(".trouble").hidden = false;
}, true);
window.addEventListener("pagehide", () => {
  players.forEach((player) => !player.audio.paused && player.keepPlace());
});
enhance(document);
