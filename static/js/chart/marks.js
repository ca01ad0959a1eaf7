// Where a field's text came from (carried, copied, of a template), until somebody touches or confirms it. Marks are
// saved with the draft like any field; nobody is ever asked about them but at the signature.
import { all, fill, make, one, same } from "./dom.js";

const EDGES = ["is-carried", "is-copied", "is-template"];

export class Marks {
  constructor(data) {
    this.texts = data.texts;
    this.marks = {};
    this.seen = {}; // the value that each mark is about
    this.fields = null; // set by Fields, which reads and writes marks as one of its own
    this.changed = () => {};
    this.folds = null;
    document.addEventListener("click", (event) => {
      const badge = event.target.closest("button.mark");
      if (badge) this.confirm(badge.dataset.mark);
    });
  }

  value() {
    return { ...this.marks };
  }

  fill(marks) {
    this.marks = { ...marks };
    for (const name of Object.keys(this.marks)) this.seen[name] = this.fields.value(name);
    this.draw();
  }

  set(name, mark) {
    this.marks[name] = mark;
    this.seen[name] = this.fields.value(name);
    this.draw();
  }

  drop(name) {
    delete this.marks[name];
    this.draw();
  }

  /** Whatever no longer reads as it was taken over is the writer's own. */
  check() {
    const touched = Object.keys(this.marks).filter((name) => !same(this.fields.value(name), this.seen[name]));
    for (const name of touched) delete this.marks[name];
    if (touched.length) this.draw();
  }

  confirm(name) {
    const badge = one(`button.mark[data-mark="${name}"]`);
    const place = badge?.parentElement;
    const held = badge === document.activeElement;
    this.drop(name);
    if (held) (place.matches("summary") ? place : this.fields.element(name)).focus();
    this.changed();
  }

  /** The key: confirms the box with the cursor; from elsewhere it leads to the next marked one. */
  confirmHere(name) {
    if (this.marks[name]) return this.confirm(name);
    const next = this.waiting()[0] ?? Object.keys(this.marks)[0];
    return next && this.folds.show(next);
  }

  waiting() {
    return Object.keys(this.fields.data.labels).filter((name) => this.marks[name]).filter((name) => this.marks[name].how === "copied" || this.marks[name].stale);
  }

  /** Three versions of the marks in one, after the texts were settled; never a question of its own. */
  merge(base, mine, theirs, values) {
    const merged = {};
    for (const name of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
      const mark = pick(base[name], mine[name], theirs[name], () => values(name));
      if (mark) merged[name] = mark;
    }
    return merged;
  }

  draw() {
    for (const badge of all("button.mark")) badge.remove();
    for (const box of all("[data-box]")) box.classList.remove("is-marked", ...EDGES);
    for (const [name, mark] of Object.entries(this.marks)) {
      const box = this.fields.element(name)?.closest("[data-box]");
      if (!box) continue;
      box.classList.add("is-marked", `is-${mark.how}`);
      this.place(box, this.badge(name, mark));
    }
  }

  place(box, badge) {
    const preview = one('[data-role="preview"]', box);
    const label = one(":scope > .chart-label > label", box);
    if (preview) preview.before(badge);
    else if (label) label.after(badge);
    else box.prepend(badge);
  }

  badge(name, mark) {
    const words = make("span", { textContent: this.words(mark) });
    const key = make("kbd", { textContent: "✓ Alt+C" });
    const badge = make("button", { type: "button", className: `mark mark-${mark.how}`, title: this.texts.mark_confirm }, words, key);
    badge.dataset.mark = name;
    return badge;
  }

  words({ how, from, stale }) {
    if (stale) return this.texts.mark_stale;
    if (how !== "copied") return this.texts[`mark_${how}`] ?? how;
    const day = from && one(`[data-visit="${CSS.escape(from)}"]`)?.dataset.day;
    return day ? fill(this.texts.mark_copied, { day }) : this.texts.mark_earlier;
  }
}

/** One side changed it: that side. Both did: the one whose text was chosen, else nobody's. */
function pick(base, mine, theirs, chosen) {
  if (same(mine ?? null, theirs ?? null) || same(base ?? null, mine ?? null)) return theirs;
  if (same(base ?? null, theirs ?? null)) return mine;
  return { mine, theirs }[chosen()];
}
