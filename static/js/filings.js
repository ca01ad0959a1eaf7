// Copies one field for the city's system. Over plain HTTP the browser has no navigator.clipboard: then the old way.
const status = document.querySelector("[data-copied]");

const select = (place) => {
  const range = document.createRange();
  range.selectNodeContents(place);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
};

const copy = async (place) => {
  const text = place.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not there, or not allowed.
  }
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "visually-hidden";
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (!done) select(place);
  return done;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const done = await copy(document.getElementById(button.dataset.copy));
  button.focus();
  document.querySelectorAll(".is-copied").forEach((other) => other.classList.remove("is-copied"));
  if (done) button.classList.add("is-copied");
  status.textContent = done ? `${button.getAttribute("aria-label") || ""} ${status.dataset.copied}` : status.dataset.failed;
  status.classList.toggle("visually-hidden", done);
});
