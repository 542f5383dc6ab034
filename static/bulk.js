// Choosing several rows: shift-click, all of the page, and what is chosen told in words.

const bar = document.getElementById("many");
let last = null;

const boxes = () => [...document.querySelectorAll("input[name=uid][form=many]")];
const chosen = () => boxes().filter((box) => box.checked);

function minutes(ms) {
  const whole = Math.round(ms / 1000);
  const two = (number) => String(number).padStart(2, "0");
  const short = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? short : `${Math.floor(whole / 3600)}:${short}`;
}

function show() {
  const all = bar.elements.all.checked;
  const mine = chosen();
  const page = document.querySelector("[data-choose-page]");
  if (page) {
    page.hidden = false;
    page.checked = mine.length > 0 && mine.length === boxes().length;
    page.indeterminate = mine.length > 0 && !page.checked;
  }
  for (const box of boxes()) box.closest("tbody").classList.toggle("chosen", all || box.checked);
  const ms = mine.reduce((sum, box) => sum + Number(box.dataset.ms), 0);
  const words = all ? "All that match are chosen" : `${mine.length} chosen, ${minutes(ms)} in all`;
  const told = bar.querySelector("[data-chosen]");
  if (told.textContent !== words) told.textContent = words;
  bar.classList.toggle("away", !all && mine.length === 0);
}

function onChange(event) {
  if (event.target.matches("[data-choose-page]")) {
    for (const box of boxes()) box.checked = event.target.checked;
  }
  if (event.target.matches("[name=uid][form=many], [data-choose-page], #many [name=all]")) show();
}

function onClick(event) {
  const box = event.target.closest("input[name=uid][form=many]");
  if (!box) return;
  const all = boxes();
  if (event.shiftKey && last?.isConnected) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const other of all.slice(from, to + 1)) other.checked = box.checked;
  }
  last = box;
}

function clear() {
  const first = chosen()[0];
  for (const box of boxes()) box.checked = false;
  bar.elements.all.checked = false;
  show();
  (first || document.getElementById("main")).focus();
}

if (bar) {
  bar.querySelector("[data-clear]").hidden = false;
  bar.classList.add("floats");
  document.addEventListener("change", onChange);
  document.addEventListener("click", onClick);
  bar.querySelector("[data-clear]").addEventListener("click", clear);
  bar.addEventListener("submit", (event) => {
    // The list may have been narrowed since the page came: what is shown is what is meant.
    const button = event.submitter;
    const url = new URL(button.hasAttribute("formaction") ? button.formAction : bar.action);
    url.search = location.search;
    button.formAction = url;
    if (button.matches("[data-file]")) {
      document.getElementById("status").textContent = "The file is being made. Your browser shows how far it is.";
    }
  });
  // Rows that came, or that were brought up to date.
  new MutationObserver(show).observe(document.getElementById("main"), { childList: true, subtree: true });
  document.addEventListener("htmx:load", show);
  show();
}

// A deletion that takes long goes on by itself.
document.querySelector("form[data-go-on]")?.requestSubmit();
