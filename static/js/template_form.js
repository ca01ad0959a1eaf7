// The template's form: diagnoses and drugs are found as on the chart.
import { all, make, one } from "./chart/dom.js";
import { Combobox } from "./chart/combobox.js";

const form = one(".template-form");
const INITIALS = /^[a-z0-9 ]+$/i;
const describe = (item) => [make("span", { className: "suggestion-name", textContent: item.name }), make("span", { className: "suggestion-code", textContent: item.code })];

for (const line of all(".template-line", form)) {
  const diagnosis = line.classList.contains("is-diagnoses");
  const part = (name) => one(`[name$="-${name}"]`, line);
  const box = part(diagnosis ? "name" : "drug");
  box.parentElement.classList.add("combo");
  new Combobox(box, {
    url: form.dataset.terms,
    kind: diagnosis ? "diagnosis" : "medicine",
    label: form.dataset.found,
    eager: (typed) => INITIALS.test(typed), // Chinese may be one's own words: Enter leaves them
    describe,
    pick: (item) => {
      box.value = item.name;
      if (!diagnosis) return part("dose").focus();
      for (const name of ["code", "system", "release"]) part(name).value = item[name] ?? "";
      part("coded").value = item.name;
      return undefined;
    },
  });
  if (diagnosis) box.addEventListener("input", () => (part("code").value = box.value === part("coded").value ? part("code").value : ""));
}

// Enter in a line's box takes a suggestion and never sends a half-filled form.
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.closest(".template-line")) event.preventDefault();
});
