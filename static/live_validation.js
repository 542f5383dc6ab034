// A field that was checked while it was typed says so to those who do not see its border.

document.addEventListener("htmx:afterSwap", (event) => {
  const told = event.detail.target;
  if (!told.matches(".complaint")) return;
  const field = document.querySelector(`[aria-describedby~="${CSS.escape(told.id)}"]`);
  if (!field) return;
  if (told.textContent.trim()) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
});
