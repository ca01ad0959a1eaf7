// Less to type: marks, gaps, templates and copying. The two last are loaded when somebody asks for them.
import { all, one } from "./dom.js";
import { listenForHoles } from "./holes.js";

export class Typing {
  /** chart: {data, texts, fields, marks, folds, autosave, changed(), session(then), tell(words)}. */
  constructor(chart) {
    this.chart = chart;
    this.field = "chief_complaint";
    const page = one("#chart");
    page.addEventListener("focusin", (event) => (this.field = fieldOf(event.target) ?? this.field));
    listenForHoles(page);
    for (const button of all("[data-templates]")) button.addEventListener("click", () => this.templates(button.dataset.templates));
    one("#previous").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-copy]");
      if (button) this.copy(button);
    });
  }

  async templates(act = "open") {
    const found = await this.load(import("./templates.js"));
    if (!found || one("dialog[open]")) return;
    this.picker ??= new found.Templates(this.chart);
    this.picker[act === "save" ? "openSave" : "open"](this.field);
  }

  async copy(button) {
    const found = await this.load(import("./copying.js"));
    if (found) found.copyFrom(this.chart, button);
  }

  confirm() {
    this.chart.marks.confirmHere(fieldOf(document.activeElement));
  }

  /** Without a connection the page goes on as it is. */
  async load(module) {
    try {
      return await module;
    } catch {
      this.chart.tell(this.chart.texts.offline);
      return null;
    }
  }
}

/** Of which field an element is a part; undefined for none. */
function fieldOf(element) {
  if (element.dataset.text) return element.dataset.text;
  if (element.dataset.vital) return "vitals";
  if (element.closest(".medication, #medication-add")) return "medications";
  if (element.closest("#diagnosis-input, #diagnosis-list")) return "diagnoses";
  return element.closest("summary")?.closest("[data-fold]")?.dataset.fold;
}
