// The preview follows the typing: the same form, the same address, 400 ms after the last key. Without it the buttons do.
(() => {
  const form = document.getElementById("wording");
  const preview = document.getElementById("preview");
  const said = document.getElementById("preview-said");
  if (!form || !preview || !preview.dataset.live) return;
  let timer = 0;
  let asking = null;

  const refresh = async () => {
    if (asking) asking.abort();
    asking = new AbortController();
    const data = new FormData(form);
    data.append("fragment", "yes");
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, signal: asking.signal });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      preview.innerHTML = await answer.text();
      const heading = preview.querySelector("h3");
      if (heading && said.textContent !== heading.textContent) said.textContent = heading.textContent;
      preview.removeAttribute("aria-busy");
    } catch (error) {
      // What was shown stays; the button "Show the letter" still works.
      if (error.name !== "AbortError") preview.removeAttribute("aria-busy");
    }
  };
  const soon = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(refresh, delay);
  };

  form.addEventListener("input", () => soon(400));
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || button.name === "save") return;
    event.preventDefault();
    if (button.name === "another") form.elements.draw.value = Number(form.elements.draw.value) + 1;
    if (button.name === "look") form.elements.target.value = button.value;
    for (const chip of form.querySelectorAll(".chip")) {
      chip.setAttribute("aria-pressed", String(chip.value === form.elements.target.value));
    }
    soon(0);
  });
  preview.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const lines = field.value.split("\n");
    const start = lines.slice(0, link.dataset.line - 1).join("\n").length + (link.dataset.line > 1 ? 1 : 0);
    field.focus();
    field.setSelectionRange(start, start + (lines[link.dataset.line - 1] || "").length);
  });
})();
