// A chosen template fills the box, unless something of one's own stands there. Without script the server fills it.
const form = document.querySelector("#compose");

if (form) {
  const choice = form.elements.template;
  const body = form.elements.body;
  const purpose = form.elements.purpose;
  const textOf = (option) => option?.dataset.body || "";
  let filled = textOf(choice.selectedOptions[0]);

  choice.addEventListener("change", () => {
    const option = choice.selectedOptions[0];
    const own = body.value.trim() && body.value !== filled;
    if (textOf(option) && !own) {
      body.value = textOf(option);
      filled = body.value;
    }
    if (option?.dataset.purpose) purpose.value = option.dataset.purpose;
  });
  // Of each way to choose people only its own boxes. Without script all of them stand there.
  const source = form.elements.source;
  const show = () => form.querySelectorAll("[data-source]").forEach((part) => { part.hidden = part.dataset.source !== source.value; });
  if (source?.tagName === "SELECT") {
    source.addEventListener("change", show);
    show();
  }
  // With script the look goes on by itself.
  form.querySelectorAll("[data-noscript]").forEach((button) => { button.hidden = true; });
}
