// Copying an item's text for another system: label and value a line, as they stand in the form.
const button = document.getElementById("after-copy");

function lines() {
  const fields = [...document.querySelectorAll("#after-form .after-field")];
  return fields
    .map((field) => [field.querySelector("label").textContent, field.querySelector("input, textarea").value])
    .filter(([, value]) => value.trim())
    .map(([label, value]) => `${label}：${value}`)
    .join("\n");
}

/** The clipboard of pages without HTTPS: a text box, selected and copied. */
function copyTheOldWay(text) {
  const box = document.createElement("textarea");
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

button?.addEventListener("click", async () => {
  const text = lines();
  if (navigator.clipboard) await navigator.clipboard.writeText(text).catch(() => copyTheOldWay(text));
  else copyTheOldWay(text);
  button.textContent = button.dataset.done;
  button.focus();
});
