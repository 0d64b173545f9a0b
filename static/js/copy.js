// Copies a letter, also before a link opens a mail that cannot carry all of it. Without it people copy from the field.
(() => {
  const copy = async (at) => {
    const field = document.getElementById(at.dataset.copies);
    const said = document.getElementById(at.dataset.says);
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.select(); // no secure connection, or not allowed: the older way
      if (!document.execCommand("copy")) return;
    }
    said.textContent = said.dataset.words;
  };
  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-copies]");
    if (at) copy(at);
  });
  for (const button of document.querySelectorAll("button[data-copies]")) button.hidden = false;
})();
