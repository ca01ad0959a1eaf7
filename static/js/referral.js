// The referral form: the way follows the institution chosen until somebody says otherwise, the name of a hospital
// is asked for only where none is chosen, Ctrl+Enter sends, and a second click does not.
const form = document.getElementById("referral-form");
const place = form.elements.namedItem("to_institution");
const name = form.elements.namedItem("to_name");
let chosen = false;

function follow() {
  const outside = !place.value;
  name.closest("div").hidden = !outside;
  name.required = outside;
  if (!outside) name.value = "";
  if (chosen) return;
  const way = place.selectedOptions[0].dataset.direction || "up";
  for (const radio of form.elements.namedItem("direction")) radio.checked = radio.value === way;
}

if (place) {
  form.querySelectorAll("[name=direction]").forEach((radio) =>
    radio.addEventListener("change", () => { chosen = true; }),
  );
  place.addEventListener("change", follow);
  name.closest("div").hidden = Boolean(place.value);
  name.required = !place.value;
}

form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && !event.isComposing) form.requestSubmit();
});
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => { delete form.dataset.sent; });
