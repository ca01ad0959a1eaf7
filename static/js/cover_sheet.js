// Fills birth date and sex from an 18-digit ID number as it is typed. The server checks and has the last word.
(() => {
  const sheet = document.querySelector("[data-cover-sheet]");
  if (!sheet) return;
  const field = (name) => sheet.elements.namedItem(name);
  const plain = (text) => text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();

  function fill() {
    const number = plain(field("id_number").value);
    if (!/^[1-9]\d{16}[\dX]$/.test(number) || !["01", "02", "03"].includes(field("id_type").value)) return;
    const born = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
    if (!field("birth_date").value) field("birth_date").value = born;
    if (!field("sex").value) field("sex").value = Number(number[16]) % 2 ? "1" : "2";
  }

  field("id_number").addEventListener("input", fill);
  field("id_type").addEventListener("change", fill);
})();
