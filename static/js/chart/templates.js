// Templates 模板: found by initials, pinyin or Chinese for the box with the cursor, taken with Enter; and the note
// made a template. Loaded when first asked for.
import { all, fill, make, newKey, one } from "./dom.js";
import { fillIn } from "./filling.js";
import { holesIn, select, selectFirst } from "./holes.js";
import { send } from "./wire.js";

const PAUSE = 120;
const NAME_MOST = 20;

export class Templates {
  /** chart: {data, texts, fields, marks, folds, autosave, changed(), session(then), tell(words)}. */
  constructor(chart) {
    Object.assign(this, chart, { chart, field: "", items: [], active: -1 });
    this.dialog = one("#template-dialog");
    this.input = one("#template-input");
    this.list = one("#template-list");
    this.word = one("#template-word");
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("li");
      if (row) this.take([...this.list.children].indexOf(row));
    });
    this.saving = one("#save-template-dialog");
    this.name = one("#save-template-name");
    this.name.addEventListener("input", () => (this.saveKey = newKey()));
    one("#save-template-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  // Finding and taking --------------------------------------------------------------------------------

  open(field) {
    this.field = field;
    const box = this.fields.texts.get(field);
    this.caret = box ? [box.selectionStart, box.selectionEnd] : [0, 0]; // a dialog that closes may move it
    one("#template-for").textContent = this.fields.label(field);
    this.input.value = "";
    this.show([]);
    this.dialog.showModal();
    this.input.focus();
    this.ask();
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    clearTimeout(this.timer);
    const typed = this.input.value;
    this.found = null;
    this.stop?.abort();
    this.stop = new AbortController();
    const { signal } = this.stop;
    const body = JSON.stringify({ q: typed, field: this.field, kind: "" });
    const { status, data } = await send(this.data.urls.template_search, body, { signal });
    if (signal.aborted || !this.dialog.open) return;
    if (status === 401) return this.again(() => this.open(this.field));
    this.found = typed;
    this.show(status === 200 ? data.items : []);
    if (status !== 200) this.word.textContent = status ? data.message : this.texts.offline;
    else this.word.textContent = data.items.length ? "" : this.texts.template_none;
    if (this.waiting) this.take(0);
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren(...items.map((item, at) => this.row(item, at)));
    this.activate(items.length ? 0 : -1);
  }

  row(item, at) {
    const part = (className, textContent) => make("span", { className, textContent });
    const kind = item.kind === "plan" ? [part("template-kind", item.kind_label)] : [];
    const head = make("span", { className: "template-head" }, part("template-name", item.name), ...kind, part("template-scope", item.scope));
    return make("li", { className: "template", role: "option", id: `template-${at}` }, head, part("template-preview", item.preview));
  }

  activate(at) {
    this.active = at;
    [...this.list.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === at)));
    const row = this.list.children[at];
    if (row) this.input.setAttribute("aria-activedescendant", row.id);
    else this.input.removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.items.length) {
      event.preventDefault();
      this.activate((this.active + step + this.items.length) % this.items.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.found === this.input.value) this.take(this.active);
      else {
        this.waiting = true; // Enter answers to what stands in the box, not to what was found before
        this.ask();
      }
    }
  }

  async take(at) {
    this.waiting = false;
    const item = this.items[at];
    if (!item) return undefined;
    const { status, data } = await send(this.data.urls.template_content.replace(this.data.urls.template_hole, item.uuid), "{}");
    if (status === 401) return this.again(() => this.open(this.field));
    if (status !== 200) return (this.word.textContent = status ? data.message ?? this.texts.template_gone : this.texts.offline);
    this.dialog.close();
    return data.kind === "plan" ? this.plan(data) : this.insert(data.content[this.field]);
  }

  /** At the cursor of the box; an empty box is marked as the template's. */
  insert(text) {
    const box = this.fields.texts.get(this.field);
    const words = this.fields.clean(this.field, text);
    const empty = !box.value.trim();
    const [start, upTo] = empty ? [0, box.value.length] : this.caret;
    box.setRangeText(words, start, upTo, "end");
    if (empty) this.marks.set(this.field, { how: "template", from: "" });
    this.folds.show(this.field);
    const [hole] = holesIn(words);
    const end = start + words.length;
    select(box, hole ? { start: start + hole.start, end: start + hole.end } : { start: end, end });
    box.dispatchEvent(new CustomEvent("chart:written", { bubbles: true }));
    this.changed();
  }

  async plan({ name, content }) {
    const filled = await fillIn({ ...this.chart, values: content, mark: { how: "template", from: "" } });
    if (filled === null) return this.folds.show(this.field);
    this.changed();
    this.tell(fill(this.texts.template_taken, { name, fields: filled.map((field) => this.fields.label(field)).join("、") || "—" }));
    const boxes = all("#chart textarea[data-text]").filter((box) => filled.includes(box.dataset.text));
    const lines = filled.includes("medications") ? all(".medication input[data-part]") : [];
    return selectFirst([...boxes, ...lines]) || this.folds.show(filled[0] ?? this.field);
  }

  again(then) {
    this.dialog.close();
    this.session(then);
  }

  // The note as a template --------------------------------------------------------------------------------

  openSave(field) {
    const [line] = this.fields.value("diagnoses");
    const single = this.fields.texts.has(field) && field !== "past_history" && this.fields.value(field).trim();
    this.saveField = single ? field : "";
    one("#save-template-one").hidden = !single;
    one("#save-template-box").textContent = single ? this.fields.label(field) : "";
    one('#save-template-form [value="plan"]').checked = true;
    this.name.value = [...(line?.name ?? this.fields.value("chief_complaint").trim())].slice(0, NAME_MOST).join("").replace(/\s+/g, " ");
    this.saveKey = newKey();
    this.fault("");
    this.saving.showModal();
    this.name.select();
  }

  async save() {
    if (this.busy) return;
    this.busy = true;
    try {
      if (!(await this.autosave.flush())) return this.fault(this.texts.template_unsaved);
      const kind = one('#save-template-form [name="kind"]:checked').value;
      const asked = { key: this.saveKey, kind, field: kind === "text" ? this.saveField : "", name: this.name.value };
      const { status, data } = await send(this.data.urls.note_template, JSON.stringify(asked));
      if (status === 401) return this.session(() => {});
      if (status !== 200) return this.fault(status ? data.message : this.texts.offline);
      this.saving.close();
      this.tell(fill(this.texts.template_kept, { name: data.name }));
    } finally {
      this.busy = false;
    }
    return undefined;
  }

  fault(words) {
    one("#save-template-fault").textContent = words;
  }
}
