// The search box by keyboard: arrows choose a hit, Enter opens it, Escape empties the box.
(() => {
  const box = document.getElementById("resident-search");
  const place = document.getElementById("resident-hits");
  if (!box || !place || box.dataset.keys) return;
  box.dataset.keys = "on";

  const hits = () => [...place.querySelectorAll(".resident-hit")].filter((hit) => hit.querySelector("[data-hit]"));

  function choose(hit) {
    for (const other of place.querySelectorAll(".resident-hit.active")) other.classList.remove("active");
    if (!hit) {
      box.removeAttribute("aria-activedescendant");
      return;
    }
    hit.classList.add("active");
    hit.scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", hit.id);
  }

  function move(step) {
    const all = hits();
    if (!all.length) return;
    const now = all.findIndex((hit) => hit.classList.contains("active"));
    choose(all[(now + step + all.length) % all.length]);
  }

  // What is on the page must answer what is in the box: Enter right after typing waits for the answer.
  let answered = box.value;
  let enter = false;

  function open() {
    const link = place.querySelector(".resident-hit.active [data-hit]");
    if (link) link.click();
  }

  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (answered === box.value) open();
      else enter = true;
    } else if (event.key === "Escape") {
      box.value = answered = "";
      enter = false;
      place.replaceChildren();
    } else {
      enter = false;
    }
  });

  let asked = "";
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === box) asked = box.value;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== place) return;
    answered = asked;
    choose(hits()[0]);
    if (enter && answered === box.value) {
      enter = false;
      open();
    }
  });
})();
