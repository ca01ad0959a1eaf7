// One tick for all visits on the page. Without script each is ticked by hand.
const all = document.querySelector(".papers-all");
const boxes = [...document.querySelectorAll(".papers-visits input:not(:disabled)")];

if (all && boxes.length > 1) {
  const box = all.querySelector("input");
  const look = () => {
    const ticked = boxes.filter((each) => each.checked).length;
    box.checked = ticked === boxes.length;
    box.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  box.addEventListener("change", () => boxes.forEach((each) => { each.checked = box.checked; }));
  boxes.forEach((each) => each.addEventListener("change", look));
  all.hidden = false;
  look();
}
