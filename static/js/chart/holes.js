// Gaps 【…】 that a template leaves to be filled: Tab goes from one to the next, and is Tab again after the last.
import { all } from "./dom.js";

const HOLE = /【[^【】\n]{0,40}】/g;
const BOXES = "textarea[data-text], .medication input[data-part]";

/** [{start, end, words}] of a text. */
export const holesIn = (text) =>
  [...text.matchAll(HOLE)].map((found) => ({ start: found.index, end: found.index + found[0].length, words: found[0] }));

export function select(box, { start, end }) {
  const section = box.closest("details");
  if (section) section.open = true;
  box.focus();
  box.setSelectionRange(start, end);
}

/** The first gap of these boxes, selected; false where there is none. */
export function selectFirst(boxes) {
  for (const box of boxes) {
    const [hole] = holesIn(box.value);
    if (!hole) continue;
    select(box, hole);
    return true;
  }
  return false;
}

export function listenForHoles(page) {
  page.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!event.target.matches(BOXES)) return;
    const next = event.shiftKey ? before(page, event.target) : after(page, event.target);
    if (!next) return;
    event.preventDefault();
    select(...next);
  });
}

function after(page, here) {
  const boxes = all(BOXES, page);
  for (const box of boxes.slice(boxes.indexOf(here))) {
    const hole = holesIn(box.value).find(({ start }) => box !== here || start >= here.selectionEnd);
    if (hole) return [box, hole];
  }
  return null;
}

function before(page, here) {
  const boxes = all(BOXES, page);
  for (const box of boxes.slice(0, boxes.indexOf(here) + 1).reverse()) {
    const holes = holesIn(box.value).filter(({ end }) => box !== here || end <= here.selectionStart);
    if (holes.length) return [box, holes[holes.length - 1]];
  }
  return null;
}
