// Saving while the doctor types: changed fields only, one request at a time, and the very same request again
// until it is answered. What is not acknowledged stays in the draft store.
import { newKey, same } from "./dom.js";
import { send, worthRetrying } from "./wire.js";

const TYPING_PAUSE = 1000;
const BACK_OFF = [1000, 2000, 4000, 8000, 10000];

export class Autosave {
  /**
   * fields: Fields; store: DraftStore or null; listeners: {state(state), stale(answer), signedOut()}, and where
   * wanted {failed(job, status, code), delivered()}.
   * A state is {kind: clean | typing | saving | saved | retrying | refused | paused, …}.
   */
  constructor({ url, version, fields, listeners }) {
    Object.assign(this, { url, version, fields, listeners });
    this.store = null;
    this.base = fields.read(); // what the server has, as far as this page knows
    this.job = null; // {key, version, body, changes}: sent or to be sent again, never altered
    this.sending = false;
    this.paused = null;
    this.refused = new Map(); // field → {value, sentence}: not sent again until it changes
    this.attempt = 0;
    this.composing = false;
    this.timer = null;
    this.waiters = [];
    this.typing = () => ""; // words in the diagnosis box that are no diagnosis yet: kept here, never sent
    this.last = null; // {saved_at, receipt}
  }

  // What there is to save ------------------------------------------------------------------------------

  dirty() {
    const now = this.fields.read();
    return Object.fromEntries(Object.entries(now).filter(([name, value]) => !same(value, this.base[name])));
  }

  sendable() {
    const entries = Object.entries(this.dirty());
    return Object.fromEntries(entries.filter(([name, value]) => !this.isRefused(name, value)));
  }

  isRefused(name, value) {
    return this.refused.has(name) && same(this.refused.get(name).value, value);
  }

  get unsaved() {
    return Boolean(this.job) || Object.keys(this.dirty()).length > 0;
  }

  // What the doctor does -------------------------------------------------------------------------------

  typed() {
    if (this.composing) return;
    this.keep();
    if (!this.attempt) this.schedule(TYPING_PAUSE); // going on writing must not put off the next try
    this.report();
  }

  left() {
    if (this.unsaved) this.pump();
  }

  /** Save now. Ends true when the server has everything, false when it has not and why is on the page. */
  flush() {
    return new Promise((answer) => {
      this.waiters.push(answer);
      clearTimeout(this.timer);
      if (this.paused === "failed") this.paused = null;
      if (this.paused) this.settle(false);
      else if (!this.sending) this.pump();
    });
  }

  resume() {
    this.paused = null;
    this.attempt = 0;
    this.pump();
  }

  pause(why, message = "") {
    this.paused = why;
    clearTimeout(this.timer);
    this.settle(false);
    this.report(message);
  }

  // The queue ------------------------------------------------------------------------------------------

  schedule(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), delay);
  }

  async pump() {
    if (this.sending || this.paused || this.composing) return;
    clearTimeout(this.timer);
    this.job ??= this.nextJob();
    if (!this.job) return this.rest();
    this.sending = true;
    this.report();
    const { status, data } = await send(this.url, this.job.body);
    this.sending = false;
    const { job } = this;
    this.take(status, data);
    if (status === 200) this.listeners.delivered?.();
    else this.listeners.failed?.(job, status, data.error);
  }

  nextJob() {
    const changes = this.sendable();
    if (!Object.keys(changes).length) return null;
    const [key, version] = [newKey(), this.version];
    return { key, version, changes, body: JSON.stringify({ key, version, changes }) };
  }

  rest() {
    this.settle(!this.unsaved);
    this.keep();
    this.report();
  }

  take(status, data) {
    if (status === 200) this.acknowledged(data);
    else if (worthRetrying(status)) this.again();
    else if (status === 401) this.signedOut();
    else if (status === 409 && data.error === "stale") this.stale(data);
    else if (status === 409) this.pause("over", data.message);
    else if (status === 400) this.notAsItIs(data);
    else this.pause("failed", data.message);
  }

  acknowledged(data) {
    for (const [name, value] of Object.entries(this.job.changes)) {
      this.base[name] = value;
      this.refused.delete(name);
    }
    this.version = data.version;
    this.last = data;
    this.job = null;
    this.attempt = 0;
    this.keep();
    this.report();
    if (this.waiters.length) this.pump();
    else if (Object.keys(this.sendable()).length) this.schedule(TYPING_PAUSE);
  }

  again() {
    this.attempt += 1;
    this.settle(false);
    this.schedule(BACK_OFF[Math.min(this.attempt, BACK_OFF.length) - 1]);
    this.report();
  }

  signedOut() {
    this.pause("signed-out");
    this.listeners.signedOut();
  }

  stale(answer) {
    this.job = null;
    this.paused = "conflict"; // who waits for the flush goes on waiting: most conflicts resolve themselves
    this.report();
    this.listeners.stale(answer);
  }

  /** Fields that the server cannot take wait for the doctor; the others go on without them. */
  notAsItIs(data) {
    const unstorable = /^\.changes\.(\w+)/.exec(data.where ?? "");
    const told = unstorable ? [unstorable[1]] : Object.keys(data.fields ?? {});
    const named = told.filter((name) => name in this.job.changes);
    for (const name of named.length ? named : Object.keys(this.job.changes)) {
      const sentence = data.fields?.[name] ?? data.message;
      this.refused.set(name, { value: this.job.changes[name], sentence });
    }
    this.job = null;
    this.attempt = 0;
    this.pump();
  }

  /** Take over what the server has now; the page's own differences stay to be saved. */
  rebase(version, values) {
    this.version = version;
    for (const [name, value] of Object.entries(values)) this.base[name] = this.fields.clean(name, value);
    this.keep();
  }

  settle(saved) {
    for (const answer of this.waiters.splice(0)) answer(saved);
  }

  // What is told and kept ------------------------------------------------------------------------------

  keep() {
    if (!this.store) return Promise.resolve();
    const typing = this.typing();
    if (!this.unsaved && !typing) return this.store.clear();
    const values = { ...this.job?.changes, ...this.dirty() };
    return this.store.keep({ at: Date.now(), version: this.version, values, typing });
  }

  report(message = "") {
    this.listeners.state({ kind: this.kind(), why: this.paused, message, last: this.last, refused: this.refusals() });
  }

  kind() {
    if (this.paused) return "paused";
    if (this.sending && !this.attempt) return "saving";
    if (this.job && this.attempt) return "retrying";
    if (this.refusals().length) return "refused";
    if (this.unsaved) return "typing";
    return this.last ? "saved" : "clean";
  }

  refusals() {
    const dirty = this.dirty();
    return [...this.refused]
      .filter(([name]) => name in dirty && this.isRefused(name, dirty[name]))
      .map(([name, { sentence }]) => ({ name, sentence }));
  }
}
