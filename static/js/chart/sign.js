// Signing: everything saved first, what is missing with a way there, the password, then name, time and print.
import { all, fill, make, newKey, one } from "./dom.js";
import { holesIn } from "./holes.js";
import { send, worthRetrying } from "./wire.js";

const dialog = one("#sign-dialog");

export class Signing {
  constructor({ data, autosave, fields, folds, box, done, failed, leave, session }) {
    Object.assign(this, { data, autosave, fields, folds, box, done, failed, leave, session });
    this.texts = data.texts;
    this.job = null; // {key, version}: the same key for the same version, so that a lost answer is no second signing
    this.busy = false;
    this.password = one("#sign-password");
    one("#sign-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sign();
    });
    one("#sign-close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => (this.password.value = ""));
    for (const list of ["#sign-missing", "#sign-copied"]) one(list).addEventListener("click", (event) => this.jump(event));
    one("#sign-as-copied").addEventListener("click", () => this.sign(true));
  }

  async open() {
    if (this.signed) return;
    this.tell("");
    const missing = this.missing();
    this.list("#sign-missing", missing);
    this.list("#sign-hints", []);
    this.list("#sign-copied", []);
    one("#sign-ask").hidden = missing.length > 0;
    if (!dialog.open) dialog.showModal();
    const first = one("#sign-missing button");
    (first ?? this.password).focus();
    if (await this.autosave.flush()) await this.look();
    else if (!one("#compare-dialog").open) this.tell(this.texts.sign_unsaved);
  }

  /** The server's second look: allergies, odd figures. Shown beside the password, and holds nothing up. */
  async look() {
    const { status, data } = await send(this.data.urls.check, "{}");
    if (status !== 200 || this.signed || !dialog.open) return;
    this.list("#sign-hints", data.hints);
    if (!this.missing().length) this.list("#sign-missing", data.missing);
  }

  /** What the rules demand, asked here first: nobody should type the password in vain. The server asks again. */
  missing() {
    const note = this.fields.read();
    const names = this.data.demands[note.visit_kind].filter((name) => !this.isThere(name, note));
    const gaps = names.map((name) => this.gap(name));
    if (this.box.value.trim()) gaps.push(this.gap("diagnoses", this.texts.diagnosis_not_added));
    else if (!note.diagnoses.length) gaps.push(this.gap("diagnoses"));
    gaps.push(...this.holes(note));
    if (!note.treatment.trim() && !note.medications.length) gaps.push(this.gap("treatment"));
    return gaps;
  }

  isThere(name, note) {
    return Boolean(note[name].trim()) || (name === "signs" && Object.values(note.vitals).some((typed) => typed.trim()));
  }

  /** Gaps of a template that nobody filled. */
  holes(note) {
    const texts = [...this.fields.texts.keys()].map((name) => [name, note[name]]);
    texts.push(["medications", note.medications.map((line) => Object.values(line).join(" ")).join("\n")]);
    return texts
      .map(([name, text]) => [name, holesIn(text)[0]])
      .filter(([, hole]) => hole)
      .map(([name, hole]) => this.gap(name, fill(this.texts.hole, { label: this.fields.label(name), hole: hole.words })));
  }

  gap(field, sentence = this.data.missing[field]) {
    return { field, sentence };
  }

  async sign(confirmed = false) {
    if (this.busy || !this.password.value) return this.password.focus();
    this.busy = true;
    one("#sign-submit").disabled = true;
    this.tell(this.texts.signing);
    try {
      if (await this.autosave.flush()) await this.ask(confirmed);
      else this.tell(this.texts.sign_unsaved);
    } finally {
      this.busy = false;
      one("#sign-submit").disabled = false;
    }
  }

  async ask(confirmed) {
    const version = this.autosave.version;
    if (this.job?.version !== version) this.job = { key: newKey(), version };
    const { status, data } = await send(this.data.urls.sign, JSON.stringify({ ...this.job, password: this.password.value, confirmed }));
    if (status === 200) return this.finish(data);
    if (status === 422) return data.error === "copied" ? this.copied(data) : this.incomplete(data);
    if (status === 401) return this.session(() => this.tell(""));
    if (status === 409 && data.error === "stale") {
      dialog.close();
      return this.autosave.stale(data);
    }
    if (worthRetrying(status) && status !== 429) this.failed({ ...this.job, changes: {} }, status, "sign");
    this.tell(worthRetrying(status) && status !== 429 ? this.texts.sign_no_answer : data.message);
    if (data.error === "password") {
      this.password.value = "";
      this.password.focus();
    }
    return undefined;
  }

  incomplete(data) {
    this.tell(data.message);
    this.list("#sign-missing", data.missing);
    this.list("#sign-hints", data.hints ?? []);
    one("#sign-missing button")?.focus();
  }

  /** Text of another day that nobody touched: asked about once, with the way to each. */
  copied({ message, fields }) {
    this.tell(message);
    this.list("#sign-copied", fields.map(({ field, label }) => ({ field, sentence: label })));
    one("#sign-as-copied").focus();
  }

  list(where, entries) {
    const items = entries.map(({ field, sentence }) =>
      make("li", {}, make("button", { type: "button", className: "btn btn-link p-0 text-start", textContent: sentence, "data-field": field })),
    );
    one(where).replaceChildren(...items);
    one(where).closest("section").hidden = !items.length;
  }

  jump(event) {
    const field = event.target.closest("button")?.dataset.field;
    if (!field) return;
    dialog.close();
    this.folds.show(field);
  }

  finish(data) {
    this.signed = true;
    this.done();
    const words = { name: data.signer, time: data.signed_at };
    one("#signed-word").textContent = fill(this.texts.signed_by, words);
    one("#signed-review").hidden = !data.needs_review;
    for (const link of all("[data-print]")) link.href = `${data.print}?format=${link.dataset.print}`;
    one("#signed-home").href = data.home;
    one("#sign-form").hidden = true;
    one("#signed").hidden = false;
    one("[data-print]").focus();
    dialog.addEventListener("close", () => this.leave(this.data.urls.chart), { once: true });
  }

  tell(word) {
    one("#sign-word").textContent = word ?? "";
  }
}
