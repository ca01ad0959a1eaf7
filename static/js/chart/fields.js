// The fields of the note as the page holds them: reading, writing, and saying a value to a person.
import { all, one, same } from "./dom.js";

/** Text areas hold \n alone; the server keeps whatever line ends it was given. */
const unix = (text) => text.replace(/\r\n?/g, "\n");

export class Fields {
  constructor(data, { diagnoses, medications, marks }) {
    this.data = data;
    this.parts = { diagnoses, medications };
    this.marks = marks;
    marks.fields = this;
    this.texts = new Map(all("[data-text]").map((box) => [box.dataset.text, box]));
    this.vitals = new Map(all("[data-vital]").map((box) => [box.dataset.vital, box]));
    for (const [name, value] of Object.entries(data.note)) this.write(name, value);
  }

  names() {
    return [...this.texts.keys(), "diagnoses", "medications", "vitals", "visit_kind", "marks"];
  }

  read() {
    const values = {};
    for (const name of this.names()) values[name] = this.value(name);
    return values;
  }

  value(name) {
    if (this.texts.has(name)) return this.texts.get(name).value;
    if (name in this.parts) return this.parts[name].value();
    if (name === "marks") return this.marks.value();
    if (name === "visit_kind") return one('[name="visit_kind"]:checked').value;
    const filled = [...this.vitals].filter(([, box]) => box.value !== "");
    return Object.fromEntries(filled.map(([vital, box]) => [vital, box.value]));
  }

  /** A value as this page would read it back. */
  clean(name, value) {
    if (this.texts.has(name)) return unix(value);
    if (name === "vitals") return Object.fromEntries(Object.entries(value).filter(([, typed]) => typed !== ""));
    return name in this.parts ? this.parts[name].clean(value) : value;
  }

  write(name, value) {
    if (name === "marks") return this.marks.fill(value);
    if (this.texts.has(name)) this.texts.get(name).value = value;
    else if (name in this.parts) this.parts[name].fill(value);
    else if (name === "visit_kind") one(`[name="visit_kind"][value="${CSS.escape(value)}"]`).checked = true;
    else for (const [vital, box] of this.vitals) box.value = value[vital] ?? "";
    return this.element(name)?.dispatchEvent(new CustomEvent("chart:written", { bubbles: true }));
  }

  /** What holds the field, for focus and for a fault's sentence. */
  element(name) {
    if (name === "vitals") return this.vitals.values().next().value;
    if (name === "visit_kind") return one('[name="visit_kind"]:checked');
    return this.texts.get(name) ?? this.parts[name]?.input;
  }

  label(name) {
    return this.data.labels[name] ?? name;
  }

  /** The value in words. */
  say(name, value) {
    if (name === "marks") return "";
    if (this.texts.has(name)) return value;
    if (name === "visit_kind") return Object.fromEntries(this.data.visit_kinds)[value] ?? value;
    if (name in this.parts) return this.parts[name].say(value);
    return this.data.vitals_fields
      .filter(([vital]) => value[vital])
      .map(([vital, label, unit]) => `${label} ${value[vital]} ${unit}`)
      .join("\n");
  }

  /** Both sides' words in one value; mine first. Null where that makes no sense. */
  both(name, mine, theirs) {
    if (this.texts.has(name)) return mine.includes(theirs) ? mine : theirs.includes(mine) ? theirs : `${mine}\n${theirs}`;
    if (name in this.parts) return this.parts[name].both(mine, theirs);
    return name === "vitals" ? { ...theirs, ...mine } : null;
  }
}

/**
 * Three-way comparison of one field: the value to show, or "conflict" when both sides changed it differently.
 * Vital signs are compared one by one: the nurse's blood pressure does not disturb the doctor's temperature.
 */
export function reconcile(name, base, mine, theirs) {
  if (same(mine, theirs) || same(base, mine)) return { value: theirs };
  if (same(base, theirs)) return { value: mine };
  if (name !== "vitals") return { conflict: true };
  const merged = {};
  for (const vital of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const part = reconcile("", base[vital] ?? "", mine[vital] ?? "", theirs[vital] ?? "");
    if (part.conflict) return part;
    if (part.value) merged[vital] = part.value;
  }
  return { value: merged };
}
