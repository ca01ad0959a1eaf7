// The standing history in the chart: what stays true of the resident, confirmed with one key, changed in place.
// What was typed here stays in the box until it is stored, whatever else happens.
import { all, fill, one } from "./dom.js";
import { send } from "./wire.js";

export class Standing {
  /** session(then): sign in again and go on; confirmed(kind, text): told after something was confirmed. */
  constructor({ session, confirmed }) {
    this.block = one("#standing");
    const source = one("#standing-data");
    this.lines = new Map();
    if (!source) return;
    this.data = JSON.parse(source.textContent);
    Object.assign(this, { session, confirmed, typed: new Map(), busy: false, kind: null });
    for (const line of this.data.lines) this.lines.set(line.kind, line);
    this.dialog = one("#standing-dialog");
    this.box = one("#standing-box");
    this.fault = one("#standing-fault");
    document.body.append(this.dialog); // not in the note: what is typed here is no change of the draft
    one("#standing-confirm").addEventListener("click", () => this.confirm());
    for (const button of all("[data-edit]", this.block)) {
      button.addEventListener("click", () => this.open(button.dataset.edit));
    }
    one("#standing-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    one("#standing-close").addEventListener("click", () => this.dialog.close());
    one("#standing-take").addEventListener("click", () => this.take());
    this.box.addEventListener("input", () => this.typed.set(this.kind, this.box.value));
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.ctrlKey || event.isComposing) return;
      event.preventDefault();
      this.save();
    });
  }

  /** One key: all that has a word in it is still correct. */
  async confirm() {
    if (!this.data || this.busy) return;
    const shown = [...this.lines.values()].filter((line) => line.text);
    this.block.scrollIntoView({ block: "nearest" });
    if (!shown.length) return this.say(this.data.texts.nothing, true);
    const versions = Object.fromEntries(shown.map((line) => [line.kind, line.version]));
    const body = { versions, allergies: this.lines.get("allergy").text };
    const { status, data } = await this.post(this.data.urls.confirm, body);
    if (status === 401) return this.session(() => this.confirm());
    if (status === 200) {
      this.store(data.lines);
      return this.say(fill(this.data.texts.done, { n: data.lines.length }));
    }
    if (data.error === "stale") this.store(data.theirs, false);
    if (data.error === "allergies") this.draw({ ...this.lines.get("allergy"), text: data.allergies });
    this.say(status ? data.message : this.data.texts.offline, true);
  }

  open(kind) {
    const line = this.lines.get(kind);
    this.kind = kind;
    one("#standing-dialog-title").textContent = line.label;
    this.box.value = this.typed.get(kind) ?? line.text;
    this.tell("");
    const offer = one("#standing-proposal");
    offer.hidden = !line.proposal;
    one('[data-role="words"]', offer).textContent = `${this.data.texts.proposal}: ${line.proposal.replaceAll("\n", "；")}`;
    this.dialog.showModal();
    this.box.focus();
  }

  take() {
    const { proposal } = this.lines.get(this.kind);
    const present = this.box.value.trim();
    const known = new Set(present.split("\n"));
    const more = proposal.split("\n").filter((drug) => !known.has(drug));
    this.box.value = [present, ...more].filter(Boolean).join("\n");
    this.typed.set(this.kind, this.box.value);
    this.box.focus();
  }

  async save() {
    if (this.busy) return;
    const line = this.lines.get(this.kind);
    const text = this.box.value;
    const { status, data } = await this.post(this.data.urls.save, { kind: line.kind, text, version: line.version });
    if (status === 401) {
      this.dialog.close();
      return this.session(() => this.open(line.kind));
    }
    if (status === 200) {
      this.typed.delete(line.kind);
      this.store(data.lines);
      this.dialog.close();
      return this.say(this.data.texts.saved);
    }
    this.typed.set(line.kind, text);
    if (data.error === "stale" && data.theirs.length) {
      const [theirs] = data.theirs;
      this.store(data.theirs, false);
      return this.tell(fill(this.data.texts.conflict, { by: theirs.by, text: theirs.text || "—" }));
    }
    this.tell(status ? data.message : this.data.texts.offline);
  }

  async post(url, body) {
    this.busy = true;
    try {
      return await send(url, JSON.stringify(body));
    } finally {
      this.busy = false;
    }
  }

  /** Rows as the server has them now. ``fresh``: confirmed a moment ago by this person. */
  store(rows, fresh = true) {
    for (const row of rows) {
      const line = this.lines.get(row.kind);
      const text = row.kind === "allergy" ? line.text : row.text;
      this.draw({ ...line, ...row, text, stale: fresh ? false : line.stale, proposal: row.text === line.proposal ? "" : line.proposal });
      if (fresh) this.confirmed(row.kind, text);
    }
  }

  draw(line) {
    this.lines.set(line.kind, line);
    const row = one(`[data-standing="${line.kind}"]`, this.block);
    const { texts } = this.data;
    row.classList.toggle("is-empty", !line.text);
    one('[data-role="text"]', row).textContent = line.text || "—";
    one('[data-role="stale"]', row).hidden = !line.stale;
    one('[data-role="who"]', row).textContent = line.on
      ? fill(texts.confirmed, { by: line.by || "—", on: line.on })
      : line.text ? texts.never : texts.empty;
  }

  say(words, warn = false) {
    const place = one("#standing-word");
    place.textContent = words;
    place.classList.toggle("is-warned", warn);
  }

  tell(words) {
    this.fault.textContent = words;
    this.fault.hidden = !words;
  }
}
