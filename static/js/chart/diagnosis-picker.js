// Diagnoses: found by code, Chinese or initials, put in order, one of them the primary one.
import { fill, make, one } from "./dom.js";
import { Combobox } from "./combobox.js";

const EMPTY = { system: "", release: "", code: "", name: "", certainty: "confirmed", primary: false };

export class DiagnosisPicker {
  constructor(data, changed) {
    this.texts = data.texts;
    this.limit = data.limits.diagnoses;
    this.certainties = Object.fromEntries(data.certainties);
    this.systems = Object.fromEntries(data.systems);
    this.changed = changed;
    this.lines = [];
    this.at = 0; // the line that takes the focus
    this.input = one("#diagnosis-input");
    this.list = one("#diagnosis-list");
    this.word = one("#diagnosis-word");
    this.input.addEventListener("keydown", (event) => this.keyInBox(event));
    this.list.addEventListener("keydown", (event) => this.keyOnLine(event));
    this.list.addEventListener("click", (event) => this.click(event));
    this.box = new Combobox(this.input, {
      url: data.urls.terms,
      kind: "diagnosis",
      usual: true,
      free: this.texts.diagnosis_free,
      label: this.texts.diagnosis_suggestions,
      describe: (item) => this.describe(item),
      pick: (item, typed) => this.add(item ?? { ...EMPTY, name: typed }),
    });
  }

  describe(item) {
    const mine = item.mine ? [make("span", { className: "suggestion-mine", textContent: this.texts.mine })] : [];
    const code = make("span", { className: "suggestion-code", textContent: item.code });
    const system = make("span", { className: "suggestion-system", textContent: item.system_label });
    return [make("span", { className: "suggestion-name", textContent: item.name }), ...mine, code, system];
  }

  // The value -------------------------------------------------------------------------------------------

  value() {
    return this.lines.map((line) => ({ ...line }));
  }

  clean(lines) {
    return lines.map((line) => ({ ...EMPTY, ...line }));
  }

  fill(lines) {
    this.lines = this.clean(lines);
    this.at = Math.max(this.lines.length - 1, 0);
    this.draw();
  }

  say(lines) {
    return this.clean(lines).map((line, position) => `${position + 1}. ${this.words(line)}`).join("\n");
  }

  words(line) {
    const certainty = line.certainty === "suspected" ? ` ${this.certainties.suspected}` : "";
    const primary = line.primary ? ` ${this.texts.primary}` : "";
    return `${line.name}${line.code ? ` ${line.code}` : ""}${certainty}${primary}`;
  }

  /** Mine, then what only they have; the primary one stays mine. */
  both(mine, theirs) {
    const more = theirs.filter((line) => !mine.some((other) => isSame(line, other)));
    const taken = mine.some((line) => line.primary);
    return [...mine, ...more.map((line) => (taken ? { ...line, primary: false } : line))];
  }

  // What the doctor does --------------------------------------------------------------------------------

  add({ system, release, code, name }) {
    const line = { system, release, code, name, certainty: "confirmed", primary: !this.lines.length };
    if (this.lines.some((other) => isSame(line, other))) return this.refuse(fill(this.texts.diagnosis_twice, { name }));
    if (this.lines.length >= this.limit) return this.refuse(fill(this.texts.too_many_lines, { n: this.limit }));
    this.lines.push(line);
    this.at = this.lines.length - 1;
    this.input.value = "";
    return this.update(fill(this.texts.diagnosis_added, { name }));
  }

  /** The words stay, marked: the next key replaces them. */
  refuse(sentence) {
    this.input.select();
    this.tell(sentence);
  }

  remove(at) {
    const [gone] = this.lines.splice(at, 1);
    if (!gone) return;
    if (gone.primary && this.lines.length) this.lines[0].primary = true;
    this.at = Math.max(Math.min(at, this.lines.length - 1), 0);
    this.update(fill(this.texts.diagnosis_removed, { name: gone.name }));
  }

  move(at, by) {
    const to = at + by;
    if (!this.lines[at] || !this.lines[to]) return;
    [this.lines[at], this.lines[to]] = [this.lines[to], this.lines[at]];
    this.at = to;
    this.update(fill(this.texts.diagnosis_moved, { name: this.lines[to].name, n: to + 1 }));
  }

  toggle(at) {
    const line = this.lines[at];
    line.certainty = line.certainty === "suspected" ? "confirmed" : "suspected";
    this.at = at;
    this.update(this.words(line));
  }

  makePrimary(at) {
    this.lines.forEach((line, position) => (line.primary = position === at));
    this.at = at;
    this.update(this.words(this.lines[at]));
  }

  update(word) {
    const onLine = this.list.contains(document.activeElement);
    this.draw();
    if (onLine) (this.list.children[this.at] ?? this.input).focus();
    this.tell(word);
    this.changed();
  }

  tell(word) {
    this.word.textContent = word;
  }

  // Keys and clicks -------------------------------------------------------------------------------------

  keyInBox(event) {
    if (event.isComposing) return;
    const last = this.lines.length - 1;
    const arrow = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const empty = !this.input.value;
    if (event.altKey && arrow) this.taken(event, () => this.move(this.at, arrow));
    else if (event.key === "Backspace" && empty && last >= 0 && !event.repeat) this.taken(event, () => this.remove(last));
    else if (event.key === "ArrowUp" && this.box.list.hidden && last >= 0) {
      this.taken(event, () => this.list.children[last].focus());
    }
  }

  keyOnLine(event) {
    const row = event.target.closest("li");
    if (!row || event.target !== row || event.ctrlKey) return;
    const at = [...this.list.children].indexOf(row);
    const acts = {
      Delete: () => this.remove(at),
      Backspace: () => this.remove(at),
      " ": () => this.toggle(at),
      p: () => this.makePrimary(at),
      ArrowUp: () => (event.altKey ? this.move(at, -1) : (row.previousElementSibling ?? row).focus()),
      ArrowDown: () => (event.altKey ? this.move(at, 1) : (row.nextElementSibling ?? this.input).focus()),
      Enter: () => this.input.focus(),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act && (!event.altKey || event.key.startsWith("Arrow"))) this.taken(event, act);
  }

  taken(event, act) {
    event.preventDefault();
    act();
  }

  click(event) {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const at = [...this.list.children].indexOf(button.closest("li"));
    const acts = {
      primary: () => this.makePrimary(at),
      certainty: () => this.toggle(at),
      up: () => this.move(at, -1),
      down: () => this.move(at, 1),
      remove: () => this.remove(at),
    };
    acts[button.dataset.act]();
  }

  // Drawing ---------------------------------------------------------------------------------------------

  draw() {
    this.list.replaceChildren(...this.lines.map((line, at) => this.row(line, at)));
    this.list.hidden = !this.lines.length;
    one("#diagnosis-keys").hidden = !this.lines.length;
  }

  row(line, at) {
    const row = one("#diagnosis-row").content.firstElementChild.cloneNode(true);
    const part = (role) => one(`[data-role="${role}"]`, row);
    row.tabIndex = at === this.at ? 0 : -1;
    row.setAttribute("aria-label", this.words(line));
    row.classList.toggle("is-primary", line.primary);
    part("number").textContent = `${at + 1}.`;
    part("name").textContent = line.name;
    part("code").textContent = line.code || this.texts.own_words;
    part("code").classList.toggle("own-words", !line.code);
    part("code").title = this.systems[line.system] ?? "";
    part("primary").setAttribute("aria-pressed", String(line.primary));
    part("certainty").textContent = this.certainties[line.certainty];
    part("certainty").classList.toggle("is-suspected", line.certainty === "suspected");
    return row;
  }
}

function isSame(line, other) {
  if (!line.code && !other.code) return line.name === other.name;
  return line.system === other.system && line.code === other.code && line.name === other.name;
}
