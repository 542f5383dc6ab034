// A phone that Asterisk knows is added to the field above it by a click.

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-add]");
  if (!button) return;
  const field = document.getElementById(button.dataset.to);
  const several = field.matches("textarea");
  const lines = several ? field.value.split("\n").filter((line) => line.trim()) : [];
  if (!lines.includes(button.dataset.add)) lines.push(button.dataset.add);
  field.value = lines.join("\n");
  field.dispatchEvent(new Event("change", { bubbles: true }));
  document.getElementById("status").textContent = `${button.dataset.add} is in the field now.`;
});
