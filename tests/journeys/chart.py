"""The chart as a doctor's hands and eyes have it."""

import re

from playwright.sync_api import expect

LEFT = """async () => {
  const open = indexedDB.open("sheyi-drafts");
  await new Promise((done) => (open.onsuccess = done));
  if (!open.result.objectStoreNames.contains("drafts")) return [];
  const all = open.result.transaction("drafts").objectStore("drafts").getAll();
  await new Promise((done) => (all.onsuccess = done));
  open.result.close();
  const say = (bytes) => new TextDecoder("utf-8", {fatal: false}).decode(bytes);
  const drafts = all.result.filter((row) => !row.id.startsWith("faults:"));
  return drafts.map((row) => JSON.stringify(row) + say(row.iv) + say(row.data));
}"""


class Chart:
    def __init__(self, page, address, visit):
        self.page, self.visit = page, visit
        self.url = f"{address}/visits/{visit.uuid}/"
        self.state = page.locator("#save-word")
        self.complaint = page.locator("#chief-complaint")

    def open(self):
        self.page.goto(self.url)
        self.page.wait_for_selector("html[data-chart=ready], #compare-dialog[open]", state="attached")
        return self

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text):
        self.page.keyboard.type(text)
        return self

    def write(self, key, text):
        """Go to a box by its key and write."""
        return self.press(key).type(text)

    def is_saved(self):
        expect(self.state).to_have_text(re.compile(r"^已保存 \d\d:\d\d:\d\d$"), timeout=15000)
        return self

    def is_not_saved(self):
        expect(self.state).to_contain_text("未保存")
        return self

    def diagnose(self, typed, name):
        """Search by initials and take the first with Enter."""
        self.write("Alt+2", typed)
        expect(self.page.locator(".suggestion").first).to_contain_text(name)
        return self.press("Enter")

    def kept(self):
        """Drafts on the browser's disk, as far as they can be read without the key; faults to be told are others' matter."""
        return self.page.evaluate(LEFT)

    def keeps_something(self):
        self.page.wait_for_function(f"async () => (await ({LEFT})()).length > 0")
        return self

    def crash(self):
        """The window is gone without a word."""
        self.page.close(run_before_unload=False)
