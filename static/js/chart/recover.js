// Text that a closed or crashed window left in this browser is offered before anything else.
import { fill, same } from "./dom.js";
import { compare } from "./compare.js";

/** Goes through all leftovers; what is restored is kept under this window's own record before theirs goes. */
export async function offerLeftovers({ store, autosave, fields, texts, box }) {
  let restored = 0;
  for (const { id, record } of await store.leftovers()) {
    const rows = differing(record, fields);
    if (rows.length) {
      const chosen = await offer({ record, rows, fields, texts });
      for (const [name, value] of Object.entries(chosen)) fields.write(name, value);
      fields.write("marks", marksOf(record, rows, fields));
      restored += rows.length;
    }
    box.value ||= record.typing ?? "";
    await autosave.keep();
    await store.drop(id);
  }
  return restored;
}

/** What was restored as it lay there keeps its mark of then; what was put together is the writer's own. */
function marksOf({ values }, rows, fields) {
  const marks = fields.value("marks");
  for (const { name, mine, theirs } of rows) {
    const now = fields.value(name);
    if (same(now, theirs)) continue;
    delete marks[name];
    if (same(now, mine) && values.marks?.[name]) marks[name] = values.marks[name];
  }
  return marks;
}

function differing(record, fields) {
  return Object.entries(record.values)
    .filter(([name]) => name !== "marks" && fields.names().includes(name))
    .map(([name, value]) => ({ name, mine: value, theirs: fields.value(name) }))
    .filter(({ mine, theirs }) => !same(mine, theirs));
}

function offer({ record, rows, fields, texts }) {
  const time = new Date(record.at).toLocaleString(document.documentElement.lang, { hour12: false });
  return compare({
    fields,
    rows,
    title: texts.recover_title,
    intro: fill(texts.recover_intro, { time }),
    mineLabel: fill(texts.recover_mine, { time }),
    theirsLabel: texts.recover_theirs,
    confirm: texts.recover_done,
  });
}
