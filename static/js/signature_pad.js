// The signature pad: strokes by pointer events, kept as a PNG in the form's hidden field, which outlives a refused form.
// Then what the rest of the page says by itself: the sum of the ticked packages, the last day, who represents whom.

// The picture that is kept, whatever the screen: 5 to 2, as the canvas (static/css/signing.css).
const WIDTH = 900;
const HEIGHT = 360;
const LINE = 5;

function pad(box) {
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input");
  const screen = canvas.getContext("2d");
  // Points in the kept picture's pixels, so that a turned or resized screen loses nothing.
  let strokes = [];
  let before = null; // what a refused form brought back
  let pointer = null;

  function paint(pen, scale) {
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    if (before) pen.drawImage(before, 0, 0, WIDTH, HEIGHT);
    pen.lineWidth = LINE;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = pen.fillStyle = "#000";
    for (const stroke of strokes) {
      pen.beginPath();
      if (stroke.length === 1) {
        // A dot is a stroke too.
        pen.arc(...stroke[0], LINE / 2, 0, 2 * Math.PI);
        pen.fill();
        continue;
      }
      pen.moveTo(...stroke[0]);
      for (const point of stroke.slice(1)) pen.lineTo(...point);
      pen.stroke();
    }
  }

  function show() {
    paint(screen, canvas.width / WIDTH);
  }

  function fit() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round((canvas.width * HEIGHT) / WIDTH);
    show();
  }

  function keep() {
    if (!strokes.length && !before) {
      field.value = "";
      return;
    }
    const paper = document.createElement("canvas");
    paper.width = WIDTH;
    paper.height = HEIGHT;
    paint(paper.getContext("2d"), 1);
    field.value = paper.toDataURL("image/png");
  }

  function at(event) {
    const edge = canvas.getBoundingClientRect();
    const scale = WIDTH / canvas.clientWidth;
    return [(event.clientX - edge.left - canvas.clientLeft) * scale, (event.clientY - edge.top - canvas.clientTop) * scale];
  }

  canvas.addEventListener("pointerdown", (event) => {
    // One pen or finger at a time: the hand that rests beside it draws nothing.
    if (event.button || pointer !== null) return;
    event.preventDefault();
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    strokes.push([at(event)]);
    show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) strokes.at(-1).push(at(one));
    show();
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(kind, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      keep();
    });
  }
  box.querySelector("[data-undo]").addEventListener("click", () => {
    if (!strokes.pop()) before = null;
    show();
    keep();
  });
  box.querySelector("[data-clear]").addEventListener("click", () => {
    strokes = [];
    before = null;
    show();
    keep();
  });
  bring(field, (image) => {
    before = image;
    show();
  });
  new ResizeObserver(fit).observe(canvas);
}

/** What a refused form, or the browser's Back, brought: shown again if it is a picture, forgotten if not. */
function bring(field, found) {
  if (!field.value) return;
  const image = new Image();
  image.addEventListener("load", () => found(image));
  image.addEventListener("error", () => {
    field.value = "";
  });
  if (field.value.startsWith("data:image/png;base64,")) image.src = field.value;
  else field.value = "";
}

/** Fees of what is ticked, for all years; in a household of those who are ticked. */
function addUp(form) {
  const years = Number(form.elements.years?.value) || 1;
  let fee = 0;
  let waived = 0;
  for (const label of form.querySelectorAll("label[data-price]")) {
    const who = label.closest("fieldset")?.querySelector("[data-who]");
    if (!label.querySelector("input").checked || (who && !who.checked)) continue;
    fee += Math.round(Number(label.dataset.price) * 100) * years;
    waived += Math.round(Number(label.dataset.waiver) * 100) * years;
  }
  for (const sum of form.querySelectorAll("[data-sum]")) {
    sum.querySelector("[data-fee]").value = (fee / 100).toFixed(2);
    sum.querySelector("[data-waived]").value = (waived / 100).toFixed(2);
    sum.querySelector("[data-due]").value = ((fee - waived) / 100).toFixed(2);
  }
  for (const day of form.querySelectorAll("[data-years]")) day.hidden = Number(day.dataset.years) !== years;
}

/** By the family: somebody signs for the resident. By the handbook: nobody does. */
function ways(form) {
  const way = form.elements.way?.value;
  const family = form.querySelector("[data-family]");
  if (family && way === "family") family.open = true;
  for (const box of form.querySelectorAll("[data-pad]")) box.classList.toggle("is-idle", way === "handbook");
  const somebody = form.querySelector("[data-somebody]");
  if (somebody) somebody.hidden = form.elements.signer.value !== "";
}

/** To what is wrong first, so that the keyboard goes on there. */
function lead(form) {
  const wrong = form.querySelector(".errorlist, .household-person .alert");
  if (!wrong) return;
  const box = wrong.closest("label") ?? wrong.closest(".household-person") ?? wrong.previousElementSibling;
  const field = box?.matches(".household-person") ? box.querySelector("select") : box?.querySelector("input:not([type=hidden]), select");
  field?.focus({ preventScroll: true });
  (field ?? wrong).scrollIntoView({ block: "center" });
}

function tell(form) {
  addUp(form);
  ways(form);
}

const form = document.querySelector(".sign-form");
document.querySelectorAll("[data-pad]").forEach(pad);
form.addEventListener("change", () => tell(form));
document.body.addEventListener("htmx:afterSettle", () => tell(form));
tell(form);
lead(form);
