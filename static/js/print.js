// The print button; Ctrl+P works without it.
document.getElementById("print").addEventListener("click", () => window.print());
