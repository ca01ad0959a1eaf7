// Unsaved text in this browser, unreadable to anybody but its writer.
//
// One record for each window and visit in IndexedDB, encrypted with AES-GCM under a key that the server hands
// to that person's pages and that is never stored. A window holds a lock on its record while it lives, so that
// the next opening offers only what a closed or crashed window left behind. Without crypto.subtle (plain HTTP)
// nothing is ever written.
import { newKey } from "./dom.js";

const NAME = "sheyi-drafts";
const TABLE = "drafts";
const KEPT_DAYS = 30;
const FAULTS = "faults:";

/** The store, or null where text cannot be kept in this browser. */
export async function openStore({ user, encounter, key }) {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB || !navigator.locks) return null;
  try {
    const raw = Uint8Array.from(atob(key), (sign) => sign.charCodeAt(0));
    const secret = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    const store = new DraftStore(await openDatabase(), secret, `${user}:${encounter}:`);
    await store.claim();
    return store;
  } catch {
    return null;
  }
}

class DraftStore {
  constructor(database, secret, prefix) {
    this.database = database;
    this.secret = secret;
    this.prefix = prefix;
    this.id = prefix + newKey();
    this.wanted = undefined; // the record to be written next; null removes it
    this.writing = null;
    this.broken = false;
  }

  /** Hold the lock of this window's record until the window is gone. */
  claim() {
    return new Promise((claimed) => {
      navigator.locks.request(NAME + this.id, () => {
        claimed();
        return new Promise(() => {});
      });
    });
  }

  /** Keep this record instead of the last; the promise ends when it is on the disk. */
  keep(record) {
    this.wanted = record;
    this.writing ??= this.write().finally(() => (this.writing = null));
    return this.writing;
  }

  clear() {
    return this.keep(null);
  }

  async write() {
    while (this.wanted !== undefined) {
      const record = this.wanted;
      this.wanted = undefined;
      try {
        await (record === null ? this.drop(this.id) : this.put(record));
        this.broken = false;
      } catch {
        this.broken = true; // full disk or a closed database: the page says so
      }
    }
  }

  async put(record) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const clear = new TextEncoder().encode(JSON.stringify(record));
    const data = await crypto.subtle.encrypt(this.cipher(iv, this.id), this.secret, clear);
    await this.run("readwrite", (table) => table.put({ id: this.id, at: Date.now(), iv, data }));
  }

  /** The visit's id is bound to the text: a record cannot be passed off as another visit's. */
  cipher(iv, id) {
    return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) };
  }

  /** [{id, record}] that windows no longer living left for this visit, oldest first. */
  async leftovers() {
    const range = IDBKeyRange.bound(this.prefix, this.prefix + "\uffff");
    const rows = await this.run("readonly", (table) => table.getAll(range));
    const held = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
    const found = [];
    for (const row of rows.sort((a, b) => a.at - b.at)) {
      if (held.has(NAME + row.id)) continue;
      const record = await this.read(row);
      if (record) found.push({ id: row.id, record });
    }
    return found;
  }

  async read(row) {
    try {
      const clear = await crypto.subtle.decrypt(this.cipher(row.iv, row.id), this.secret, row.data);
      return JSON.parse(new TextDecoder().decode(clear));
    } catch {
      return null; // another key's
    }
  }

  // Failed saves that nobody could be told of yet (faults.js), kept as unreadable as the text ------------------

  async keepFaults(entries) {
    const id = FAULTS + this.id;
    if (!entries.length) return this.drop(id);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const clear = new TextEncoder().encode(JSON.stringify(entries));
    const data = await crypto.subtle.encrypt(this.cipher(iv, id), this.secret, clear);
    return this.run("readwrite", (table) => table.put({ id, at: Date.now(), iv, data }));
  }

  /** Entries that windows no longer living left for this visit; they are this window's from now on. */
  async leftFaults() {
    const range = IDBKeyRange.bound(FAULTS + this.prefix, `${FAULTS}${this.prefix}\uffff`);
    const rows = await this.run("readonly", (table) => table.getAll(range));
    const held = new Set((await navigator.locks.query()).held.map((lock) => FAULTS + lock.name.slice(NAME.length)));
    const found = [];
    for (const row of rows) {
      if (held.has(row.id)) continue;
      found.push(...((await this.read(row)) ?? []));
      await this.drop(row.id);
    }
    if (found.length) await this.keepFaults(found);
    return found;
  }

  drop(id) {
    return this.run("readwrite", (table) => table.delete(id));
  }

  /** Text that nobody came back for: an encounter is signed or cancelled long before. */
  async sweep() {
    const oldest = Date.now() - KEPT_DAYS * 86400000;
    const rows = await this.run("readonly", (table) => table.getAll());
    for (const row of rows) if (row.at < oldest) await this.drop(row.id);
  }

  run(mode, ask) {
    return new Promise((resolve, reject) => {
      const deal = this.database.transaction(TABLE, mode);
      const request = ask(deal.objectStore(TABLE));
      deal.oncomplete = () => resolve(request.result);
      deal.onerror = deal.onabort = () => reject(deal.error);
    });
  }
}

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = request.onblocked = () => reject(request.error);
  });
}
