// Two texts side by side, field by field, for conflicts of two windows and for text left in this browser.
// The doctor chooses or writes a third; nothing is thrown away without being seen.
import { all, one } from "./dom.js";

const dialog = one("#compare-dialog");

/**
 * rows: [{name, mine, theirs}]. Ends with {name: chosen value} when the doctor is done, with null when the
 * dialog was put off (only where ``later`` is a word for it).
 */
export function compare({ fields, title, intro, mineLabel, theirsLabel, confirm, later = "", rows }) {
  one("#compare-title").textContent = title;
  one("#compare-intro").textContent = intro;
  one("#compare-done").textContent = confirm;
  const putOff = one("#compare-later");
  putOff.hidden = !later;
  putOff.textContent = later;
  const shown = rows.map((row) => new Row(fields, row, mineLabel, theirsLabel));
  one("#compare-rows").replaceChildren(...shown.map((row) => row.element));
  if (!dialog.open) dialog.showModal();
  one("#compare-done").focus();
  return new Promise((answer) => {
    const end = (value) => {
      dialog.oncancel = putOff.onclick = one("#compare-done").onclick = null;
      dialog.close();
      answer(value);
    };
    one("#compare-done").onclick = () => end(Object.fromEntries(shown.map((row) => [row.name, row.chosen()])));
    putOff.onclick = () => end(null);
    dialog.oncancel = (event) => {
      event.preventDefault(); // Esc must not decide about text
      if (later) end(null);
    };
  });
}

class Row {
  constructor(fields, { name, mine, theirs }, mineLabel, theirsLabel) {
    this.name = name;
    this.isText = fields.texts.has(name);
    this.values = { mine, theirs, both: fields.both(name, mine, theirs) };
    this.element = one("#compare-row").content.firstElementChild.cloneNode(true);
    const part = (role) => one(`[data-role="${role}"]`, this.element);
    part("field").textContent = fields.label(name);
    part("mine-label").textContent = mineLabel;
    part("theirs-label").textContent = theirsLabel;
    part("mine").textContent = fields.say(name, mine) || "—";
    part("theirs").textContent = fields.say(name, theirs) || "—";
    this.result = part("result");
    part("result-line").hidden = !this.isText;
    this.radios = all('input[type="radio"]', this.element);
    for (const radio of this.radios) {
      radio.name = `compare-${name}`;
      radio.onchange = () => this.take(radio.value);
      if (this.values[radio.value] === null) radio.closest("label").hidden = true;
    }
    this.result.oninput = () => this.radios.forEach((radio) => (radio.checked = false));
    this.take("mine");
  }

  take(side) {
    this.side = side;
    this.radios.find((radio) => radio.value === side).checked = true;
    if (this.isText) this.result.value = this.values[side];
  }

  chosen() {
    return this.isText ? this.result.value : this.values[this.side];
  }
}
