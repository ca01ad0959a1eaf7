// Putting ready words into the note. What was typed is never overwritten: boxes with words in them are asked about
// once, and get the new ones below their own or stay as they are.
import { fill, one, same } from "./dom.js";

const isEmpty = (value) => (typeof value === "string" ? !value.trim() : !value.length);

/**
 * values: {field: text or lines}; mark: what the filled fields are marked with. Ends with the names of the fields
 * that were filled, or null when the doctor thought better of it. Copied words are marked wherever they go.
 */
export async function fillIn({ fields, marks, texts, values, mark }) {
  const wanted = Object.keys(fields.data.labels).filter((name) => name in values && !isEmpty(values[name]));
  const full = wanted.filter((name) => !isEmpty(fields.value(name)) && !same(joined(fields, name, values), fields.value(name)));
  const add = full.length ? await ask(fill(texts.fill_question, { fields: full.map((name) => fields.label(name)).join("、") })) : false;
  if (add === null) return null;
  const filled = [];
  for (const name of wanted) {
    const empty = isEmpty(fields.value(name));
    if (!empty && !(add && full.includes(name))) continue;
    fields.write(name, empty ? fields.clean(name, values[name]) : joined(fields, name, values));
    if (empty || mark.how === "copied") marks.set(name, mark);
    filled.push(name);
  }
  return filled;
}

const joined = (fields, name, values) => fields.both(name, fields.value(name), fields.clean(name, values[name]));

/** true: add below; false: leave them; null: do nothing at all. */
function ask(question) {
  const dialog = one("#fill-dialog");
  one("#fill-question").textContent = question;
  dialog.showModal();
  one("#fill-add").focus();
  return new Promise((answer) => {
    const end = (value) => {
      one("#fill-add").onclick = one("#fill-leave").onclick = dialog.onclose = null;
      dialog.close();
      answer(value);
    };
    one("#fill-add").onclick = () => end(true);
    one("#fill-leave").onclick = () => end(false);
    dialog.onclose = () => end(null);
  });
}
