// The keys: one hand on the keyboard is enough. They press the buttons and links that are there.

const OFF = "callytics.keys-off";
const dialog = document.getElementById("keys");
const rows = () => [...document.querySelectorAll("tbody[id]")];
let current = null;

function isOff() {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
}

function turn(on) {
  try {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  } catch {
    // then it is as before on the next page
  }
}

// What somebody types, chooses or reads elsewhere is theirs.
function isTyping(element) {
  return element.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog") !== null;
}

function currentRow() {
  const focused = document.activeElement.closest("tbody[id]");
  if (focused) return focused;
  return current && current.isConnected ? current : null;
}

function firstLink(row) {
  return row.querySelector("a[data-opens=player]") || row.querySelector(".time a") || row.querySelector("a, button");
}

function move(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(currentRow());
  const row = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  firstLink(row)?.focus();
  return true;
}

function player() {
  const mine = currentRow()?.querySelector("[data-player]");
  const all = [...document.querySelectorAll("[data-player]")];
  return mine || all.find((box) => box.classList.contains("playing")) || all[0] || null;
}

function press(name) {
  const button = player()?.querySelector(`[data-do=${name}]`);
  button?.click();
  return Boolean(button);
}

function changeSpeed(by) {
  const select = player()?.querySelector(".speed");
  if (!select) return false;
  select.selectedIndex = Math.min(Math.max(select.selectedIndex + by, 0), select.options.length - 1);
  select.dispatchEvent(new Event("change"));
  document.getElementById("status").textContent = `Speed ${select.value}`;
  return true;
}

function listen(target) {
  const opener = target.closest("a[data-opens=player]");
  if (opener) {
    // Enter and Space do the same here: open it, then pause and go on. Escape closes.
    if (opener.closest("tbody").querySelector("[data-player]")) return press("toggle");
    opener.click();
    return true;
  }
  // A button or another link has its own meaning.
  return target.closest("a, button, input, summary, [role=button]") ? false : press("toggle");
}

function download() {
  const row = currentRow();
  const link = (row || document).querySelector("a[href$='/download']");
  link?.click();
  return Boolean(link);
}

function note() {
  const field = (currentRow() || document).querySelector("[data-note]") || document.querySelector("[data-note]");
  field?.focus();
  return Boolean(field);
}

function choose() {
  const box = currentRow()?.querySelector("input[name=uid]");
  box?.click();
  return Boolean(box);
}

function search() {
  const field = document.querySelector("input[type=search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

function dial() {
  const field = document.getElementById("dial-number");
  field?.focus();
  return Boolean(field);
}

const KEYS = {
  ArrowDown: () => move(1),
  j: () => move(1),
  ArrowUp: () => move(-1),
  k: () => move(-1),
  Enter: listen,
  " ": listen,
  ArrowLeft: () => press("back"),
  ArrowRight: () => press("forward"),
  "<": () => changeSpeed(-1),
  ">": () => changeSpeed(1),
  d: download,
  n: note,
  c: dial,
  x: choose,
  "/": search,
  "?": () => { dialog.showModal(); return true; },
};

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const action = Object.hasOwn(KEYS, event.key) && KEYS[event.key];
  if (!action || isTyping(event.target) || isOff()) return;
  if (action(event.target)) event.preventDefault();
}

if (dialog) {
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", (event) => {
    current = event.target.closest("tbody[id]") || current;
  });
  const on = document.getElementById("keys-on");
  on.checked = !isOff();
  on.addEventListener("change", () => turn(on.checked));
  for (const button of document.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
}
