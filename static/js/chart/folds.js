// Folded sections: one key opens and focuses, a line tells what is inside while it is shut.
import { all, one } from "./dom.js";

const PREVIEW = 80;

export class Folds {
  constructor(fields) {
    this.fields = fields;
    this.sections = new Map(all("details[data-fold]").map((section) => [section.dataset.fold, section]));
    for (const section of this.sections.values()) section.addEventListener("toggle", () => grow(section));
    this.draw();
  }

  /** Bring the field to view and put the cursor there, whatever it is folded in. */
  show(name) {
    const box = this.fields.element(name);
    if (!box) return;
    const section = box.closest("details[data-fold]");
    if (section) section.open = true;
    box.focus();
    (box.closest(".chart-box, .chart-fold") ?? box).scrollIntoView({ block: "nearest" });
  }

  /** The section's key: open it; once more from inside, fold it again. */
  toggle(name) {
    const section = this.sections.get(name);
    if (!section) return this.show(name);
    if (!section.open || !section.contains(document.activeElement)) return this.show(name);
    section.open = false;
    one("summary", section).focus();
  }

  /** Fields that the institution wants open from the start. */
  unfold(names) {
    for (const name of names) {
      const section = this.sections.get(name);
      if (section) section.open = true;
    }
  }

  draw() {
    for (const [name, section] of this.sections) {
      const words = this.fields.say(name, this.fields.value(name)).replace(/\s+/g, " ").trim();
      one('[data-role="preview"]', section).textContent = [...words].slice(0, PREVIEW).join("");
      section.classList.toggle("is-filled", words !== "");
    }
  }
}

/** Text boxes grow with their text, to a point. */
export function grow(root = document) {
  for (const box of all("textarea[data-text]", root)) {
    if (!box.offsetParent) continue;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  }
}
