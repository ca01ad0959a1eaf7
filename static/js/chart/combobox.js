// An input with suggestions (ARIA combobox with a listbox): the server is asked 120 ms after the last key, and
// Enter always answers to what stands in the box, never to suggestions for something typed before.
import { make } from "./dom.js";
import { sendForm } from "./wire.js";

const PAUSE = 120;
let serial = 0;

export class Combobox {
  /**
   * describe(item) → nodes of one suggestion; pick(item | null, typed) takes one, null for the typed words
   * themselves; free: text of the entry that offers them ("{text}"), "" for none; usual: an empty box offers the
   * most used; eager(text): whether Enter takes the first suggestion for it.
   */
  constructor(input, { url, kind, describe, pick, free = "", usual = false, eager = () => true, label = "" }) {
    Object.assign(this, { input, url, kind, describe, pick, free, usual, eager });
    this.list = make("ul", { className: "suggestions", id: `suggestions-${++serial}`, role: "listbox", hidden: true });
    this.list.setAttribute("aria-label", label);
    input.after(this.list);
    const marks = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id };
    for (const [name, value] of Object.entries(marks)) input.setAttribute(name, value);
    this.options = [];
    this.active = -1;
    this.found = null; // what the shown suggestions were found for
    this.waiting = false; // Enter was pressed before the answer came
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("focus", () => this.usual && this.typed());
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => this.click(event));
  }

  get text() {
    return this.input.value.trim();
  }

  typed() {
    clearTimeout(this.timer);
    this.waiting = false;
    if (!this.text && !this.usual) return this.close();
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    clearTimeout(this.timer);
    const text = this.text;
    this.stop?.abort();
    this.stop = new AbortController();
    const signal = this.stop.signal;
    const { status, data } = await sendForm(this.url, { kind: this.kind, q: text }, { signal });
    if (signal.aborted || text !== this.text || document.activeElement !== this.input) return;
    this.show(text, status === 200 ? data.items : []);
    if (this.waiting) {
      this.waiting = false;
      if (status === 200) this.choose(this.active);
    }
  }

  show(text, items) {
    this.found = text;
    this.options = items.map((item) => ({ item }));
    if (text && this.free) this.options.push({ item: null });
    const rows = this.options.map(({ item }, position) => {
      const children = item ? this.describe(item) : [this.free.replace("{text}", () => text)];
      const row = make("li", { className: "suggestion", role: "option", id: `${this.list.id}-${position}` }, ...children);
      row.setAttribute("aria-selected", "false");
      if (!item) row.classList.add("suggestion-free");
      return row;
    });
    this.list.replaceChildren(...rows);
    this.open(rows.length > 0);
    this.activate(text && rows.length && this.eager(text) ? 0 : -1);
  }

  open(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.activate(-1);
  }

  close() {
    clearTimeout(this.timer);
    this.stop?.abort();
    this.found = null;
    this.open(false);
  }

  activate(position) {
    this.active = position;
    [...this.list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === position)));
    const row = this.list.children[position];
    if (row) this.input.setAttribute("aria-activedescendant", row.id);
    else this.input.removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  choose(position) {
    const option = this.options[position];
    if (!option) return;
    const typed = this.text;
    this.close();
    this.pick(option.item, typed);
  }

  click(event) {
    event.preventDefault(); // the input keeps the focus
    const row = event.target.closest("li");
    if (row) this.choose([...this.list.children].indexOf(row));
  }

  key(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const open = !this.list.hidden;
    if (event.key === "ArrowDown") this.down(event, open);
    else if (event.key === "ArrowUp" && open) this.step(event, -1);
    else if (event.key === "Escape" && open) this.escape(event);
    else if (event.key === "Enter" && this.active >= 0 && this.found === this.text) this.enter(event);
    else if (event.key === "Enter" && this.text && this.eager(this.text)) this.enter(event);
  }

  down(event, open) {
    if (open) return this.step(event, 1);
    event.preventDefault();
    return this.ask();
  }

  step(event, by) {
    event.preventDefault();
    const count = this.options.length;
    if (this.active < 0 && by < 0) return this.activate(count - 1);
    return this.activate((this.active + by + count) % count);
  }

  escape(event) {
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  enter(event) {
    if (this.found === this.text && !this.options.length) return; // nothing found: Enter is the page's again
    event.preventDefault();
    event.stopImmediatePropagation();
    if (this.found === this.text && this.active >= 0) return this.choose(this.active);
    this.waiting = true;
    this.ask();
  }
}
