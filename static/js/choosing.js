// The counter and the button follow the ticks. Without it they say what the server counted last, and it counts again.
(() => {
  const form = document.querySelector("form.choosing");
  const counter = document.getElementById("counter");
  const said = document.getElementById("counter-said");
  const button = document.getElementById("take");
  if (!form || !counter || !said || !button) return;
  const most = Number(counter.dataset.most);
  const words = JSON.parse(button.dataset.words);
  let timer = 0;

  const count = () => {
    const n = form.querySelectorAll("input[name=to]:checked").length;
    counter.querySelector("b").textContent = n.toLocaleString(document.documentElement.lang);
    counter.classList.toggle("over", n > most);
    button.textContent = words[n > most ? 0 : n];
  };
  form.addEventListener("change", (event) => {
    if (event.target.name !== "to") return;
    count();
    clearTimeout(timer);
    timer = setTimeout(() => { said.textContent = counter.textContent; }, 2000);
  });
  count(); // what the browser kept ticked when somebody comes back
})();
