// The signature pad: strokes by pointer events, kept as a PNG in the form's hidden field, which outlives a refused form.
// And the sum of the ticked packages.

const WIDTH = 3;
const PNG = "data:image/png;base64,";

function pad(box) {
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input");
  const pen = canvas.getContext("2d");
  const strokes = [];
  let before = null; // what a refused form brought back
  let current = null;

  function fit() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw();
  }

  function draw() {
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (before) pen.drawImage(before, 0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.lineWidth = WIDTH;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#000";
    for (const stroke of strokes) {
      pen.beginPath();
      pen.moveTo(...stroke[0]);
      // A dot is a stroke too.
      if (stroke.length === 1) pen.lineTo(stroke[0][0] + 0.1, stroke[0][1]);
      for (const point of stroke.slice(1)) pen.lineTo(...point);
      pen.stroke();
    }
  }

  function keep() {
    field.value = strokes.length || before ? canvas.toDataURL("image/png") : "";
  }

  function at(event) {
    const edge = canvas.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    current = [at(event)];
    strokes.push(current);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!current) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) current.push(at(one));
    draw();
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      if (!current) return;
      current = null;
      keep();
    });
  }
  box.querySelector("[data-undo]").addEventListener("click", () => {
    if (!strokes.pop()) before = null;
    draw();
    keep();
  });
  box.querySelector("[data-clear]").addEventListener("click", () => {
    strokes.length = 0;
    before = null;
    draw();
    keep();
  });
  if (field.value.startsWith(PNG)) {
    // Not as an address of an image, which the content policy forbids.
    const bytes = Uint8Array.from(atob(field.value.slice(PNG.length)), (sign) => sign.charCodeAt(0));
    createImageBitmap(new Blob([bytes], { type: "image/png" })).then((image) => {
      before = image;
      draw();
    });
  }
  window.addEventListener("resize", fit);
  fit();
}

function addUp(part) {
  const years = Number(document.querySelector("#id_years")?.value) || 1;
  let fee = 0;
  let waived = 0;
  for (const label of part.querySelectorAll("label[data-price]")) {
    if (!label.querySelector("input").checked) continue;
    fee += Number(label.dataset.price) * years;
    waived += Number(label.dataset.waiver) * years;
  }
  for (const sum of part.querySelectorAll("[data-sum]")) {
    sum.querySelector("[data-fee]").value = fee.toFixed(2);
    sum.querySelector("[data-waived]").value = waived.toFixed(2);
    sum.querySelector("[data-due]").value = (fee - waived).toFixed(2);
  }
}

const form = document.querySelector(".sign-form");
document.querySelectorAll("[data-pad]").forEach(pad);
form.addEventListener("change", () => addUp(form));
document.body.addEventListener("htmx:afterSwap", () => addUp(form));
addUp(form);
