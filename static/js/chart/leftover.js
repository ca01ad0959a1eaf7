// A note that can no longer be written, and text of its writer that never reached it (signed on another computer
// while this one was cut off): shown to be copied, dropped only when its writer says so.
import { make, one } from "./dom.js";
import { openStore } from "./draft-store.js";

const data = JSON.parse(one("#kept-data").textContent);
const panel = one("#kept");

/** Lines as words; the codes behind them matter less than that nothing is unseen. */
function words(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((line) => Object.values(line).filter((part) => part && part !== true).join(" ")).join("\n");
  return Object.entries(value).map(([name, typed]) => `${name} ${typed}`).join("\n");
}

function show({ id, record }, store) {
  const { marks: _unseen, ...written } = record.values;
  const values = { ...written, ...(record.typing ? { diagnoses: [...(record.values.diagnoses ?? []), { name: record.typing }] } : {}) };
  const parts = Object.entries(values).flatMap(([name, value]) => [
    make("dt", { textContent: data.labels[name] ?? name }),
    make("dd", { className: "note-text", textContent: words(value) || "—" }),
  ]);
  const gone = make("button", { type: "button", className: "btn btn-outline-danger btn-sm", textContent: panel.dataset.drop });
  const time = make("strong", { textContent: new Date(record.at).toLocaleString(document.documentElement.lang, { hour12: false }) });
  const entry = make("div", {}, time, make("dl", { className: "note-sections" }, ...parts), gone);
  gone.onclick = async () => {
    await store.drop(id);
    entry.remove();
    panel.hidden = !one("#kept-list").children.length;
  };
  one("#kept-list").append(entry);
  panel.hidden = false;
}

for (const encounter of data.stores) {
  const store = await openStore({ user: data.user, encounter, key: data.draft_key });
  if (store) for (const leftover of await store.leftovers()) show(leftover, store);
}
