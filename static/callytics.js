"use strict";
// Everything works without this file; it adds local times, focus that is never lost, and news.

// --- Times: the page says UTC, the browser knows where it is.

const language = navigator.languages.find((name) => name.startsWith("en")) || "en-GB";
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const toTheSecond = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const timeOfDay = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });

function inWords(at, now) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (at.toDateString() === now.toDateString()) return `Today, ${clock.format(at)}`;
  if (at.toDateString() === yesterday.toDateString()) return `Yesterday, ${clock.format(at)}`;
  const date = at.getFullYear() === now.getFullYear() ? day : dayAndYear;
  return `${date.format(at)}, ${clock.format(at)}`;
}

function localTimes(within) {
  const now = new Date();
  for (const element of within.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (element.matches(".clock")) element.textContent = timeOfDay.format(at);
    else element.textContent = element.matches(".exact") ? toTheSecond.format(at) : inWords(at, now);
    element.title = exact.format(at);
  }
}

// --- Rows: each is a <tbody>; its player and its question are rows below its first.

function showWhatIsOpen(row) {
  for (const link of row.querySelectorAll("a[data-opens]")) {
    link.setAttribute("aria-expanded", row.querySelector(`tr.${link.dataset.opens}`) !== null);
  }
}

function close(detail) {
  const row = detail.closest("tbody");
  const kind = detail.classList.contains("player") ? "player" : "ask";
  // Audio that was taken out of the page would go on playing.
  detail.querySelectorAll("audio").forEach((audio) => audio.pause());
  detail.remove();
  showWhatIsOpen(row);
  const opener = row.querySelector(`a[data-opens=${kind}]`) || row.querySelector("a");
  if (opener) opener.focus();
}

function onClick(event) {
  const closer = event.target.closest("[data-close]");
  if (closer) return close(closer.closest("tr.detail"));
  const link = event.target.closest("a[data-opens]");
  if (!link) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    event.stopPropagation(); // a new tab was asked for: htmx must not see it
    return;
  }
  const open = link.closest("tbody").querySelector(`tr.${link.dataset.opens}`);
  if (open) {
    event.preventDefault();
    event.stopPropagation();
    close(open);
  }
}

function onKey(event) {
  const detail = event.target.closest("tr.detail");
  if (event.key === "Escape" && detail) close(detail);
}

// --- htmx: what came into the page, and where the focus goes when a row leaves it.

let heir = null;

function beforeSwap(event) {
  const row = event.detail.target;
  const leaves = row.matches("tbody[id]") && event.detail.shouldSwap && !event.detail.isError;
  heir = leaves ? row.nextElementSibling || row.previousElementSibling : null;
  // Audio that was taken out of the page would go on playing.
  if (row.id === "library") row.querySelectorAll("audio").forEach((audio) => audio.pause());
  if (event.detail.requestConfig.headers["X-Callytics-Poll"]) return;
  // What was said of the last thing done is not true of this one.
  document.getElementById("problem").textContent = "";
  document.getElementById("status").textContent = "";
}

// Not afterSwap: htmx fires that at what came, and for a row that goes nothing comes.
function afterRequest() {
  if (!heir) return;
  const link = heir.matches("tbody") && heir.querySelector("a, button");
  (link || document.getElementById("main")).focus();
  heir = null;
  lookForNews(); // the next page's first row moves up, or the list is empty now
}

function onLoad(event) {
  const arrived = event.detail.elt;
  localTimes(arrived);
  const row = arrived.closest("tbody");
  if (row) showWhatIsOpen(row);
  if (arrived.id === "library") {
    version = arrived.dataset.version;
    remember(arrived);
  }
}

// --- News: asks every two seconds while somebody looks; a page that is the same costs a 304.

const EVERY_MS = 2000;
const AT_MOST_MS = 10000;
const asReceived = new WeakMap();
let version = null;
let timer = null;
let asking = false;
let failures = 0;

function remember(within) {
  for (const row of within.querySelectorAll("tbody[id]")) {
    const said = row.rows[0].cloneNode(true);
    // Time that passes is no news.
    for (const growing of said.querySelectorAll("[data-since]")) growing.textContent = "";
    asReceived.set(row.rows[0], said.outerHTML);
  }
}

async function lookForNews() {
  clearTimeout(timer);
  if (document.hidden || asking) return;
  asking = true;
  let again = true;
  try {
    again = await ask();
    if (failures > 0) tell("");
    failures = 0;
  } catch {
    failures += 1;
    if (failures === 2) tell("Callytics cannot be reached, so this page may be out of date. It keeps trying.");
  }
  asking = false;
  if (again) timer = setTimeout(lookForNews, Math.min(EVERY_MS * 2 ** failures, AT_MOST_MS));
}

async function ask() {
  const headers = { "HX-Request": "true", "X-Callytics-Poll": "1" };
  if (version) headers["If-None-Match"] = `"${version}"`;
  const [shown, address] = [document.getElementById("library"), location.href];
  const reply = await fetch(address, { headers, cache: "no-store" });
  if (reply.status === 401) {
    tell("You are signed out. Reload this page to sign in again.");
    return false;
  }
  if (reply.status >= 500) throw new Error("trouble on the server");
  const html = await reply.text();
  // Meanwhile something else may have been asked for: then this is old.
  if (shown !== document.getElementById("library") || address !== location.href) return true;
  if (reply.status === 200) bringIn(html);
  return reply.ok || reply.status === 304;
}

function tell(text) {
  document.getElementById("problem").textContent = text;
}

function bringIn(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const news = template.content.querySelector("#library");
  const shown = document.getElementById("library");
  remember(news);
  localTimes(news);
  const table = shown.querySelector("table");
  const newTable = news.querySelector("table");
  if (!table || !newTable) {
    if (table && [...table.tBodies].some(isInUse) && !rowsLeave(shown)) return;
    const hadFocus = shown.contains(document.activeElement);
    version = news.dataset.version;
    shown.replaceWith(news);
    htmx.process(news);
    if (hadFocus) document.getElementById("main").focus();
    return;
  }
  // What somebody is using stays as it is, and the same news is asked for again.
  const complete = bringInRows(table, newTable);
  replaceIfChanged("#notice", shown, news);
  replaceIfChanged("#narrowed", shown, news);
  replaceIfChanged("#pager", shown, news);
  replaceIfChanged("#more", shown, news);
  version = complete ? news.dataset.version : null;
}

function isInUse(row) {
  return row.querySelector("tr.detail, input:checked") !== null || row.contains(document.activeElement);
}

// What is over is shown no longer, whoever is at it: where the list says so, and no player is in it.
function rowsLeave(shown) {
  return "rowsLeave" in shown.dataset;
}

function leave(row) {
  const next = row.contains(document.activeElement) && (row.nextElementSibling || row.previousElementSibling);
  row.remove();
  if (next === false) return;
  const link = next && next.matches("tbody") && next.querySelector("a, button");
  (link || document.getElementById("main")).focus();
}

function bringInRows(table, newTable) {
  const arriving = [...newTable.tBodies];
  const wanted = new Set(arriving.map((row) => row.id));
  let complete = true;
  for (const row of [...table.tBodies]) {
    if (wanted.has(row.id)) continue;
    if (isInUse(row) && !rowsLeave(table.parentElement)) complete = false;
    else leave(row);
  }
  let above = table.tHead;
  for (const row of arriving) {
    const mine = document.getElementById(row.id);
    if (mine) bringInFacts(mine, row);
    else {
      above.after(row);
      htmx.process(row);
    }
    above = mine || row;
  }
  return complete;
}

function bringInFacts(mine, news) {
  const [before, after] = [mine.rows[0], news.rows[0]];
  if (asReceived.get(before) === asReceived.get(after)) return;
  const hadFocus = before.contains(document.activeElement);
  const [href, id] = hadFocus ? ["href", "id"].map((name) => document.activeElement.getAttribute(name)) : [];
  const [was, is] = [before, after].map((of) => of.querySelector("input[name=uid]"));
  if (was && is) is.checked = was.checked;
  before.replaceWith(after);
  mine.dataset.state = news.dataset.state;
  htmx.process(after);
  showWhatIsOpen(mine);
  const same = id ? `#${CSS.escape(id)}` : href && `a[href="${CSS.escape(href)}"]`;
  if (hadFocus) ((same && after.querySelector(same)) || after.querySelector("a, button"))?.focus();
}

function replaceIfChanged(selector, shown, news) {
  const [before, after] = [shown.querySelector(selector), news.querySelector(selector)];
  if (!before && after) shown.append(after);
  else if (before && !after) before.remove();
  else if (before && before.innerHTML !== after.innerHTML) {
    before.replaceWith(after);
    htmx.process(after);
  }
}

// --- Begin.

remember(document);
localTimes(document);
document.querySelectorAll("tbody[id]").forEach(showWhatIsOpen);
document.addEventListener("click", onClick, true);
document.addEventListener("keydown", onKey);
document.addEventListener("htmx:beforeSwap", beforeSwap);
document.addEventListener("htmx:afterRequest", afterRequest);
document.addEventListener("htmx:load", onLoad);
document.addEventListener("htmx:sendError", () => tell("Callytics cannot be reached. Try again."));

const library = document.querySelector("#library[data-poll]");
if (library) {
  version = library.dataset.version;
  timer = setTimeout(lookForNews, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    localTimes(document);
    lookForNews();
  });
}
