// The forms of flows: what is wrong with a field stands at the field for who cannot see it too.

function onSwap(event) {
  const complaint = event.detail.target;
  if (!complaint.matches(".complaint")) return;
  const field = document.getElementById(complaint.id.replace("p-", "f-"));
  if (complaint.textContent.trim()) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

document.addEventListener("htmx:afterSwap", onSwap);
