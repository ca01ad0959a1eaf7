// Another window or another person saved first (409): fields that only one side changed are put together, the
// rest is shown side by side.
import { fill, same } from "./dom.js";
import { compare } from "./compare.js";
import { reconcile } from "./fields.js";

/** Ends true when both are one again, false when the doctor put it off. */
export async function settleConflict({ answer, autosave, fields, texts, tell }) {
  const { marks, ...theirs } = { ...answer.changed, ...answer.theirs };
  const rows = [];
  const taken = [];
  for (const [name, value] of Object.entries(theirs)) {
    const [mine, server] = [fields.value(name), fields.clean(name, value)];
    const { conflict, value: merged } = reconcile(name, autosave.base[name], mine, server);
    if (conflict) rows.push({ name, mine, theirs: server });
    else if (JSON.stringify(merged) !== JSON.stringify(mine)) {
      fields.write(name, merged);
      taken.push(fields.label(name));
    }
  }
  if (taken.length) tell(fill(texts.taken_over, { who: answer.by, time: answer.at, fields: taken.join("、") }));
  if (rows.length && !(await choose({ answer, rows, fields, texts, autosave }))) return false;
  if (marks) settleMarks(marks, theirs, { autosave, fields });
  autosave.rebase(answer.version, marks ? { ...theirs, marks } : theirs);
  return true;
}

/** Silently: a mark goes with the text that it is about. */
function settleMarks(marks, theirs, { autosave, fields }) {
  const whose = (name) => (name in theirs && same(fields.value(name), fields.clean(name, theirs[name])) ? "theirs" : "mine");
  fields.write("marks", fields.marks.merge(autosave.base.marks, fields.value("marks"), marks, whose));
}

async function choose({ answer, rows, fields, texts, autosave }) {
  autosave.settle(false);
  const words = { who: answer.by, time: answer.at };
  const chosen = await compare({
    fields,
    rows,
    title: texts.conflict_title,
    intro: fill(texts.conflict_intro, words),
    mineLabel: texts.conflict_mine,
    theirsLabel: fill(texts.conflict_theirs, words),
    confirm: texts.conflict_done,
    later: texts.conflict_later,
  });
  if (chosen === null) return false;
  for (const [name, value] of Object.entries(chosen)) fields.write(name, value);
  return true;
}
