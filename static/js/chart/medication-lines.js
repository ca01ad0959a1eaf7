// Medication lines: drug, dose, route, how often, days; a warning where an allergy is on record, never a block.
import { all, fill, make, one } from "./dom.js";
import { allergyTo, daysOf } from "./allergies.js";
import { Combobox } from "./combobox.js";

const PARTS = ["drug", "dose", "route", "frequency", "days", "reason"];
const WRITTEN = ["drug", "dose", "days", "reason", "frequency"];
const USUAL_ROUTE = "po";
const INITIALS = /^[a-z0-9 ]+$/i;

const partOf = (row, part) => one(`[data-part="${part}"]`, row);
const isWritten = (line) => WRITTEN.some((part) => line[part].trim());

export class MedicationLines {
  constructor(data, changed) {
    this.data = data;
    this.texts = data.texts;
    this.changed = changed;
    this.body = one("#medication-lines");
    this.button = one("#medication-add");
    this.button.addEventListener("click", () => this.add().focus());
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("input", (event) => this.check(event.target.closest(".medication")));
    this.body.addEventListener("click", (event) => this.click(event));
    this.fill([]);
  }

  get input() {
    const rows = [...this.body.children];
    return partOf(rows.find((row) => !isWritten(this.read(row))) ?? rows[rows.length - 1], "drug");
  }

  // The value -------------------------------------------------------------------------------------------

  value() {
    return [...this.body.children].map((row) => this.read(row)).filter(isWritten);
  }

  read(row) {
    return Object.fromEntries(PARTS.map((part) => [part, partOf(row, part).value]));
  }

  clean(lines) {
    const empty = Object.fromEntries(PARTS.map((part) => [part, ""]));
    return lines.map((line) => ({ ...empty, ...line })).filter(isWritten);
  }

  fill(lines) {
    this.body.replaceChildren();
    for (const line of this.clean(lines)) this.append(line);
    if (!this.body.children.length) this.append(null);
  }

  say(lines) {
    const routes = Object.fromEntries(this.data.routes);
    const often = Object.fromEntries(this.data.frequencies);
    return this.clean(lines)
      .map((line, at) => {
        const days = line.days && fill(this.texts.days, { n: daysOf(line.days) ?? line.days });
        const words = [line.drug, line.dose, routes[line.route], often[line.frequency], days, line.reason];
        return `${at + 1}. ${words.filter(Boolean).join(" ")}`;
      })
      .join("\n");
  }

  both(mine, theirs) {
    const known = new Set(mine.map((line) => JSON.stringify(line)));
    return [...mine, ...theirs.filter((line) => !known.has(JSON.stringify(line)))];
  }

  // Lines -----------------------------------------------------------------------------------------------

  /** The drug box of a new line, or of the empty one at the end that waits already. */
  add() {
    const last = this.body.lastElementChild;
    const full = this.body.children.length >= this.data.limits.medications;
    return partOf(last && (full || !isWritten(this.read(last))) ? last : this.append(null), "drug");
  }

  append(line) {
    const row = one("#medication-row").content.firstElementChild.cloneNode(true);
    this.options(partOf(row, "route"), this.data.routes);
    this.options(partOf(row, "frequency"), this.data.frequencies);
    const values = line ?? { route: USUAL_ROUTE };
    for (const part of PARTS) partOf(row, part).value = values[part] ?? "";
    this.body.append(row);
    this.suggest(row);
    this.check(row);
    return row;
  }

  options(select, choices) {
    const first = new Option(select.dataset.empty, "");
    select.replaceChildren(first, ...choices.map(([code, label]) => new Option(label, code)));
  }

  suggest(row) {
    const drug = partOf(row, "drug");
    new Combobox(drug, {
      url: this.data.urls.terms,
      kind: "medicine",
      eager: (typed) => INITIALS.test(typed), // Chinese may be a drug of no list: Enter leaves it as typed
      label: this.texts.drug_suggestions,
      describe: (item) => [make("span", { className: "suggestion-name", textContent: item.name })],
      pick: (item) => {
        drug.value = item.name;
        this.check(row);
        this.changed();
        partOf(row, "dose").focus();
      },
    });
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    partOf(next ?? this.append(null), "drug").focus();
    this.changed();
  }

  /** Show what the line makes one ask or warn of. */
  check(row) {
    const line = this.read(row);
    const days = daysOf(line.days) ?? 0;
    const { ordinary, most } = this.data.days;
    one('[data-role="reason-line"]', row).hidden = !(days > ordinary || line.reason);
    this.warn(row, "too-long", days > most ? fill(this.texts.days_most, { n: most }) : "");
    const substance = allergyTo(line.drug, this.data.watch);
    const words = substance && fill(this.texts.allergy_warning, { substance, drug: line.drug.trim() });
    this.warn(row, "allergy", words);
    row.classList.toggle("is-warned", Boolean(substance));
  }

  warn(row, role, words) {
    const place = one(`[data-role="${role}"]`, row);
    place.hidden = !words;
    if (place.textContent !== words) place.textContent = words; // an alert is read out once
  }

  /** Enter goes on to the next box of the line, from the last one to the next line. */
  key(event) {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.altKey || event.defaultPrevented) return;
    if (!event.target.dataset.part) return;
    event.preventDefault();
    const row = event.target.closest(".medication");
    const boxes = all("[data-part]", row).filter((box) => !box.closest("[hidden]"));
    const next = boxes[boxes.indexOf(event.target) + 1];
    if (next) next.focus();
    else if (row.nextElementSibling) partOf(row.nextElementSibling, "drug").focus();
    else this.add().focus();
  }

  click(event) {
    if (event.target.closest('[data-act="remove"]')) this.remove(event.target.closest(".medication"));
  }
}
