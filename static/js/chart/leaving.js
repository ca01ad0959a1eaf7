// Going away: the browser's own warning while text is unsaved; links and buttons of the page save first, so that
// a click right after the last key does not frighten anybody.
const PATIENCE = 4000;

export class Leaving {
  constructor(autosave) {
    this.autosave = autosave;
    this.free = false;
    window.addEventListener("beforeunload", (event) => {
      if (this.free || !autosave.unsaved) return;
      event.preventDefault();
      event.returnValue = "unsaved"; // Chromium 109 wants a value; its own words are shown
    });
    document.addEventListener("visibilitychange", () => document.hidden && autosave.left());
    document.addEventListener("click", (event) => this.link(event), true);
    document.addEventListener("submit", (event) => this.form(event), true);
  }

  /** Go, whatever is unsaved: it is kept in this browser, or its writer was asked. */
  go(address) {
    this.free = true;
    window.location.assign(address);
  }

  link(event) {
    const link = event.target.closest("a[href]");
    const elsewhere = event.ctrlKey || event.shiftKey || event.metaKey || link?.target;
    if (!link || elsewhere || link.getAttribute("href").startsWith("#") || !this.autosave.unsaved || this.free) return;
    event.preventDefault();
    this.afterSaving(() => window.location.assign(link.href));
  }

  form(event) {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || !this.autosave.unsaved || this.free) return;
    if (form.closest("dialog") && !form.dataset.leaves) return;
    event.preventDefault();
    event.stopPropagation();
    this.afterSaving(() => form.submit());
  }

  async afterSaving(go) {
    const patience = new Promise((answer) => setTimeout(answer, PATIENCE));
    await Promise.race([this.autosave.flush(), patience]);
    go();
  }
}
