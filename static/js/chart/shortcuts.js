// Keys of the chart. Every one of them stands on the page beside what it does; F1 shows them all.
import { one } from "./dom.js";

export const SECTION_KEYS = {
  1: "chief_complaint", 2: "diagnoses", 3: "treatment", 4: "present_illness",
  5: "past_history", 6: "signs", 7: "examinations", 8: "vitals", 9: "medications",
};

/** acts: {section(name), kind(), save(), sign(), previous(), templates(), confirm()}. */
export function listen(acts) {
  const help = one("#help-dialog");
  const openHelp = () => help.open || help.showModal();
  one("#help-open").addEventListener("click", openHelp);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || (one("dialog[open]") && event.key !== "F1")) return;
    const act = actFor(event, acts, openHelp);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function actFor(event, acts, openHelp) {
  const { key, code } = event;
  const plainKey = !event.altKey && !event.ctrlKey && !event.metaKey;
  if (key === "F1" || (key === "?" && plainKey && !isWriting(event.target))) return openHelp;
  if (event.altKey && !event.ctrlKey) {
    const digit = /^Digit([1-9])$/.exec(code); // Alt with the number pad types signs on Windows
    if (digit) return () => acts.section(SECTION_KEYS[digit[1]]);
    const refer = one("#refer-open"); // a link: leaving it to the page saves what is unsaved first
    return { KeyF: acts.kind, KeyP: acts.previous, KeyT: acts.templates, KeyC: acts.confirm, KeyR: refer && (() => refer.click()), Digit0: acts.stillCorrect }[code];
  }
  if (event.ctrlKey && !event.altKey) return { Enter: acts.sign, s: acts.save, S: acts.save }[key];
  return null;
}

const isWriting = (target) => target.matches("input:not([type=radio]), textarea, select");
