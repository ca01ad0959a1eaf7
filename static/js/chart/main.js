// The chart of one visit, put together: fields, autosave, what the browser keeps, conflicts, session, signing.
import { all, one } from "./dom.js";
import { Autosave } from "./autosave.js";
import { DiagnosisPicker } from "./diagnosis-picker.js";
import { openStore } from "./draft-store.js";
import { Faults } from "./faults.js";
import { Fields } from "./fields.js";
import { Folds, grow } from "./folds.js";
import { Leaving } from "./leaving.js";
import { Marks } from "./marks.js";
import { MedicationLines } from "./medication-lines.js";
import { offerLeftovers } from "./recover.js";
import { listen } from "./shortcuts.js";
import { settleConflict } from "./conflict.js";
import { signInAgain } from "./session.js";
import { Signing } from "./sign.js";
import { Standing } from "./standing.js";
import { Status } from "./status.js";
import { Typing } from "./typing.js";

const data = JSON.parse(one("#chart-data").textContent);
const { texts } = data;
const page = one("#chart");
const changed = () => {
  marks.check();
  folds.draw();
  autosave.typed();
};
const diagnoses = new DiagnosisPicker(data, () => changed());
const medications = new MedicationLines(data, () => changed());
const marks = new Marks(data);
const fields = new Fields(data, { diagnoses, medications, marks });
const folds = new Folds(fields);
Object.assign(marks, { folds, changed: () => changed() });
const status = new Status(data, fields);
const faults = new Faults({ url: data.urls.faults, place: data.store });
const autosave = new Autosave({
  url: data.urls.save,
  version: data.version,
  fields,
  listeners: {
    state: (state) => status.show(state), stale: (answer) => conflict(answer), signedOut: () => session(),
    failed: (job, code, error) => faults.failed(job, code, error), delivered: () => faults.delivered(),
  },
});
autosave.typing = () => diagnoses.input.value;
// A notice that comes while somebody types (an upgrade begins in ten minutes): what is typed is saved before it is shown.
document.addEventListener("htmx:beforeSwap", ({ detail: { target, xhr } }) => {
  if (target.id === "page-notices" && xhr.responseText.trim() !== target.innerHTML.trim()) autosave.flush();
});
const leaving = new Leaving(autosave);
const signing = new Signing({
  data, autosave, fields, folds, session, box: diagnoses.input,
  leave: (address) => leaving.go(address),
  failed: (job, code, error) => faults.failed(job, code, error),
  done: () => {
    faults.delivered();
    leaving.free = true;
    autosave.store?.clear();
    page.inert = true;
  },
});

const lasting = new Standing({
  session,
  // The past history that this note only carried is confirmed with it.
  confirmed: (kind, text) => kind === "past" && marks.value().past_history && fields.value("past_history") === text && marks.confirm("past_history"),
});

let standing = null; // a conflict that was put off

async function conflict(answer) {
  standing = answer;
  const settled = await settleConflict({ answer, autosave, fields, texts, tell });
  if (!settled) return;
  standing = null;
  folds.draw();
  grow();
  autosave.resume();
}

async function session(then = () => {}) {
  await signInAgain({ data, leave: (address) => leaving.go(address) });
  if (autosave.paused === "signed-out") autosave.resume();
  then();
}

function tell(sentence) {
  const notice = one("#chart-notice");
  notice.textContent = sentence;
  notice.hidden = !sentence;
}

const typing = new Typing({
  data, texts, fields, marks, folds, autosave, session, tell,
  changed: () => {
    changed();
    grow();
    autosave.left();
  },
});

// What the hands do --------------------------------------------------------------------------------------

const isField = (target) => target.closest("#chart") && !target.matches("#diagnosis-input");
page.addEventListener("input", (event) => {
  if (!isField(event.target)) return;
  if (event.target.matches("textarea")) grow(event.target.parentElement);
  changed();
});
page.addEventListener("compositionstart", () => (autosave.composing = true));
page.addEventListener("compositionend", () => {
  autosave.composing = false;
  autosave.typed();
});
page.addEventListener("focusout", () => {
  autosave.composing = false;
  autosave.left();
});
diagnoses.input.addEventListener("input", () => autosave.keep());
window.addEventListener("online", () => autosave.left());
one("#save-act").addEventListener("click", () => (standing ? conflict(standing) : session()));
one("#sign-open").addEventListener("click", () => signing.open());
for (const close of all("dialog [data-close]")) close.addEventListener("click", () => close.closest("dialog").close());
one("#hold-open")?.addEventListener("click", () => one("#hold-dialog").showModal());

listen({
  section: (name) => folds.toggle(name),
  kind: () => {
    const wanted = fields.value("visit_kind") === "first" ? "return" : "first";
    fields.write("visit_kind", wanted);
    changed();
    autosave.left();
  },
  save: () => autosave.flush(),
  sign: () => signing.open(),
  stillCorrect: () => lasting.confirm(),
  previous: () => one("#previous summary")?.focus(),
  templates: () => typing.templates(),
  confirm: () => typing.confirm(),
});

// What a former window left ------------------------------------------------------------------------------

async function begin() {
  folds.unfold(data.unfolded);
  grow();
  autosave.report();
  const store = await openStore({ user: data.user, encounter: data.store, key: data.draft_key });
  autosave.store = store;
  one("#not-kept").hidden = Boolean(store);
  faults.open(store);
  if (!store) return;
  await autosave.keep();
  if (await offerLeftovers({ store, autosave, fields, texts, box: diagnoses.input })) {
    changed();
    grow();
    autosave.left();
  }
  store.sweep();
}

if (!data.on_hold) fields.element("chief_complaint").focus();
begin().finally(() => (document.documentElement.dataset.chart = "ready"));
