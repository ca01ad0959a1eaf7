// Saves that failed, told to the server once it can be reached again: no text, but names of fields, a count of
// characters, a hash and how old it is (old terminals' clocks are wrong). One entry for each save, however often it
// was tried. What the server refused with a sentence it has recorded itself.
import { newKey } from "./dom.js";
import { send, worthRetrying } from "./wire.js";

const MOST = 50; // in one report
const MOST_KEPT = 200;
const PAGE_ERRORS = 5; // of one loading: a fault in a loop must not flood
const PLAIN = "sheyi-faults:"; // where there is no store: without a hash, until the window is closed

export class Faults {
  constructor({ url, place }) {
    Object.assign(this, { url, place });
    this.store = undefined; // not known yet; null where nothing can be kept
    this.known = new Map(); // entry's key → entry
    this.byJob = new Map(); // save's key → entry
    this.telling = false;
    this.pageErrors = 0;
    this.written = Promise.resolve();
    window.addEventListener("error", (event) => event.error && this.page());
    window.addEventListener("unhandledrejection", () => this.page());
  }

  /** Take the store, and up what earlier windows could not tell; the page is here, so the server is, too. */
  async open(store) {
    this.store = store;
    for (const entry of await this.left()) if (!this.known.has(entry.key)) this.known.set(entry.key, entry);
    if (!this.known.size) return;
    await this.keep();
    await this.tell();
  }

  /** An attempt of a save failed. ``job``: {key, version, changes}. */
  failed(job, status, code = "") {
    if (status >= 400 && status < 500 && code && ![401, 408, 429].includes(status)) return;
    const entry = this.byJob.get(job.key) ?? this.add(job);
    Object.assign(entry, { status, code: code.slice(0, 30).replace(/[^a-z0-9_-]/g, ""), at: Date.now() });
    entry.attempts += 1;
    this.keep();
  }

  add(job) {
    const entry = {
      key: newKey(), save_key: job.key, version: job.version, fields: Object.keys(job.changes),
      characters: count(job.changes), sha256: "", attempts: 0,
    };
    this.byJob.set(job.key, entry);
    this.remember(entry);
    digest(job.changes).then((hash) => {
      entry.sha256 = hash;
      this.keep();
    }, () => {});
    return entry;
  }

  /** An error of the page itself; its words may hold anything, so they stay out. */
  page() {
    if (this.pageErrors >= PAGE_ERRORS) return;
    this.pageErrors += 1;
    this.remember({
      key: newKey(), save_key: null, version: null, fields: [], characters: 0, sha256: "", attempts: 1,
      status: 0, code: "page", at: Date.now(),
    });
    this.keep();
  }

  remember(entry) {
    this.known.set(entry.key, entry);
    if (this.known.size > MOST_KEPT) this.known.delete(this.known.keys().next().value);
  }

  /** A save came through: now is the time. */
  delivered() {
    this.byJob.clear();
    if (this.known.size) this.tell();
  }

  async tell() {
    if (this.telling) return;
    this.telling = true;
    try {
      while (this.known.size && (await this.report([...this.known.values()].slice(0, MOST))));
    } finally {
      this.telling = false;
    }
  }

  /** Whether it went, so that more may follow. Refused entries go too: asking again would not help. */
  async report(entries) {
    const now = Date.now();
    const told = entries.map(({ at, ...entry }) => ({ ...entry, ago: Math.max(0, Math.round((now - at) / 1000)) }));
    const { status } = await send(this.url, JSON.stringify({ faults: told }));
    if (worthRetrying(status) || status === 401) return false;
    for (const { key } of entries) this.known.delete(key);
    await this.keep();
    return true;
  }

  // What outlives the page -----------------------------------------------------------------------------------

  keep() {
    this.written = this.written.then(() => this.write()).catch(() => {});
    return this.written;
  }

  async write() {
    const entries = [...this.known.values()];
    if (this.store === undefined) return undefined;
    if (this.store) return this.store.keepFaults(entries);
    const plain = entries.map((entry) => ({ ...entry, sha256: "" }));
    if (plain.length) sessionStorage.setItem(PLAIN + this.place, JSON.stringify(plain));
    else sessionStorage.removeItem(PLAIN + this.place);
    return undefined;
  }

  async left() {
    try {
      if (this.store) return await this.store.leftFaults();
      return JSON.parse(sessionStorage.getItem(PLAIN + this.place) ?? "[]");
    } catch {
      return [];
    }
  }
}

/** Characters of all the text, as the server counts them: names and marks left out. */
export function count(value) {
  if (typeof value === "string") return [...value].length;
  if (!value || typeof value !== "object") return 0;
  const parts = Array.isArray(value) ? value : Object.entries(value).filter(([name]) => name !== "marks").map(([, part]) => part);
  return parts.reduce((sum, part) => sum + count(part), 0);
}

/** sha256 over the canonical JSON (sorted keys, no blanks, UTF-8), as on the receipt; empty without crypto. */
export async function digest(changes) {
  if (!globalThis.crypto?.subtle) return "";
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(changes)));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function canonical(value) {
  return JSON.stringify(value, (_name, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
