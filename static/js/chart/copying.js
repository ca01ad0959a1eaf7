// Copying from an earlier visit, by section or whole. Whatever is copied says so until it is touched or confirmed.
import { fill, one } from "./dom.js";
import { fillIn } from "./filling.js";
import { send } from "./wire.js";

/** Past history was carried into the note already, and later than from that visit. */
const whole = (data, fields) => data.whole.filter((name) => name !== "past_history" || !fields.value(name).trim());

/** chart: {texts, fields, marks, folds, changed(), session(then), tell(words)}; button: with data-copy. */
export async function copyFrom(chart, button) {
  const visit = button.closest("[data-visit]");
  const { status, data } = await send(visit.dataset.earlier, "{}");
  if (status === 401) return chart.session(() => copyFrom(chart, button));
  if (status !== 200) return chart.tell(status ? data.message ?? chart.texts.copy_failed : chart.texts.offline);
  const names = button.dataset.copy === "whole" ? whole(data, chart.fields) : [button.dataset.copy];
  const values = Object.fromEntries(names.filter((name) => name in data.fields).map((name) => [name, data.fields[name]]));
  const filled = await fillIn({ ...chart, values, mark: { how: "copied", from: data.from } });
  if (filled === null) return button.focus();
  chart.changed();
  const words = { day: data.day, fields: filled.map((name) => chart.fields.label(name)).join("、") };
  chart.tell(filled.length ? fill(chart.texts.copied, words) : chart.texts.copied_nothing);
  if (filled.length === 1) chart.folds.show(filled[0]);
  else if (!one("dialog[open]")) button.focus();
  return undefined;
}
