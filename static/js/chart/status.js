// The save's word at the foot of the page, large and in colour, and the sentences under refused fields.
import { all, fill, make, one } from "./dom.js";

const LOOKS = {
  clean: "is-quiet", typing: "is-busy", saving: "is-busy", saved: "is-saved",
  retrying: "is-failing", refused: "is-failing", paused: "is-failing",
};

export class Status {
  constructor(data, fields) {
    this.texts = data.texts;
    this.fields = fields;
    this.box = one("#save-state");
    this.word = one("#save-word");
    this.receipt = one("#save-receipt");
    this.act = one("#save-act");
  }

  show(state) {
    this.box.className = `save-state ${LOOKS[state.kind]}`;
    this.box.dataset.kind = state.kind;
    const words = this.words(state);
    if (this.word.textContent !== words) this.word.textContent = words;
    this.receipt.textContent = state.kind === "saved" ? fill(this.texts.receipt, { n: state.last.receipt }) : "";
    this.act.hidden = !["conflict", "signed-out"].includes(state.why);
    this.act.textContent = state.why === "conflict" ? this.texts.open_conflict : this.texts.open_signin;
    this.faults(state.refused);
  }

  words({ kind, why, message, last, refused }) {
    const { texts } = this;
    if (kind === "saved") return fill(texts.saved, { time: last.saved_at });
    if (kind === "refused") return fill(texts.refused, { fields: refused.map(({ name }) => this.fields.label(name)).join("、") });
    if (kind === "paused") return { conflict: texts.in_conflict, "signed-out": texts.signed_out }[why] ?? this.stopped(message);
    return { clean: texts.clean, typing: texts.typing, saving: texts.saving, retrying: texts.retrying }[kind];
  }

  stopped(message) {
    if (message) this.reason = message;
    return fill(this.texts.not_saved, { reason: this.reason ?? "" });
  }

  faults(refused) {
    for (const old of all(".field-fault")) old.remove();
    for (const { name, sentence } of refused) {
      const element = this.fields.element(name);
      element?.closest("[data-box]")?.append(make("p", { className: "field-fault", textContent: sentence }));
    }
  }
}
