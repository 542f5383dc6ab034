// The filters of the library: the days of this browser, and a form that follows what is shown.

const filters = document.getElementById("filters");

function clear(names) {
  for (const field of filters.elements) {
    if (names === "*" ? field.name && !["tz", "sort"].includes(field.name) : field.name === names) field.value = "";
  }
}

// A filter that is taken away below the form leaves it too; nothing else that was typed does.
function onClear(event) {
  const link = event.target.closest("a[data-clears]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  clear(link.dataset.clears);
  htmx.trigger(filters, "submit");
  filters.elements.q.focus();
}

// A day that is chosen stands against the preset, and a preset against days.
function onChange(event) {
  const { from, to, when } = filters.elements;
  if (event.target === when && when.value) from.value = to.value = "";
  if ([from, to].includes(event.target) && event.target.value) when.value = "";
}

// "All that match" must mean what is shown now.
function choose(query) {
  const many = document.getElementById("many");
  if (!many) return;
  const asked = (address) => address.split("?")[0] + (query ? `?${query}` : "");
  many.setAttribute("action", asked(many.getAttribute("action")));
  for (const button of many.querySelectorAll("[formaction]")) {
    button.setAttribute("formaction", asked(button.getAttribute("formaction")));
  }
  many.elements.all.checked = false;
  many.elements.all.dispatchEvent(new Event("change", { bubbles: true }));
}

function afterArrival(event) {
  const arrived = event.detail.elt;
  if (arrived.id === "library") {
    choose(arrived.dataset.query);
    document.getElementById("view").value = arrived.dataset.query;
  }
  if (arrived.id !== "library" && arrived.id !== "count") return;
  const count = document.querySelector("#count span");
  document.getElementById("found").textContent = count ? count.textContent : "";
}

if (filters) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !filters.elements.tz.value) {
    filters.elements.tz.value = zone;
    document.getElementById("zone").textContent = zone;
  }
  filters.classList.add("live");
  filters.addEventListener("change", onChange, true);
  document.addEventListener("click", onClear);
  document.addEventListener("htmx:load", afterArrival);
}
