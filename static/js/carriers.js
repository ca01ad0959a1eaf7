// The table of the simulated carriers keeps itself fresh while somebody looks.
const table = document.getElementById("carriers");

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(table.dataset.address);
    if (answer.ok) table.innerHTML = await answer.text();
  } catch {
    // The carriers were stopped; the next try tells.
  }
}

setInterval(refresh, 2000);
