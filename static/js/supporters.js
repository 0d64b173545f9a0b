// Supporter pages work whole without this. With it: a word count, text kept in this tab, pages that look again by
// themselves (resting when hidden), and sharing. Nothing is sent anywhere but to the page's own address.
(() => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Look again: `look` answers how many seconds to wait for the next look; nothing ends it.
  const watch = (look, first, longest) => {
    const until = Date.now() + longest * 1000;
    let timer = 0;
    const next = (seconds) => {
      clearTimeout(timer);
      if (seconds && Date.now() < until) timer = setTimeout(turn, seconds * 1000);
    };
    const turn = async () => {
      if (document.hidden) return; // the tab's return begins it anew
      next(await look().catch(() => 30));
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : next(1)));
    next(first);
  };

  // Check your e-mail: once the letter is confirmed, wherever that was, its page leads on.
  const wait = one("[data-wait]");
  if (wait) {
    const address = wait.dataset.wait;
    watch(async () => {
      const answer = await fetch(address, { method: "HEAD", redirect: "manual" });
      if (answer.type !== "opaqueredirect") return answer.ok ? 5 : 30;
      location.replace(`${wait.href}#done`); // the heading takes focus by its name
      return 0;
    }, 5, 600);
  }

  // Where the letter is: the part that moves, ever more seldom while nothing changes.
  if (one("[data-live]")) {
    let pause = 4;
    watch(async () => {
      const old = one("#live");
      const answer = await fetch(old.dataset.live);
      if (!answer.ok) return 30;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (!fresh) return 0;
      const words = (part) => [...part.querySelectorAll(".stamp")].map((stamp) => stamp.textContent).join();
      pause = words(old) === words(fresh) ? Math.min(pause * 1.5, 60) : 4;
      if (!old.contains(document.activeElement)) old.replaceWith(fresh);
      return fresh.dataset.live ? pause : 0;
    }, pause, 3600);
  }

  // How long the letter is: said politely, at most every two seconds. Only scripts without spaces need the browser's
  // dictionaries: whatever asks for them, formats of numbers and times too, takes a slow phone a seventh of a second.
  const spaceless = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u;
  for (const count of all("[data-count]")) {
    const field = document.getElementById(count.dataset.count);
    let timer = 0;
    const say = () => {
      timer = 0;
      const text = field.value;
      const words = spaceless.test(text) && window.Intl && Intl.Segmenter
        ? [...new Intl.Segmenter(field.lang || undefined, { granularity: "word" }).segment(text)].filter((part) => part.isWordLike).length
        : text.split(/\s+/).filter((part) => /[\p{L}\p{N}]/u.test(part)).length;
      const said = count.dataset.said.replace("%d", words);
      if (count.textContent !== said) count.textContent = said;
    };
    field.addEventListener("input", () => (timer = timer || setTimeout(say, 2000)));
    (window.requestIdleCallback || setTimeout)(say); // a slow phone may scroll and type meanwhile
  }

  // Stuck? A beginning comes in where the cursor stands; nothing that is typed gives way to it.
  for (const said of all(".starters span")) {
    const field = one("#sentence");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: said.textContent });
    button.lang = said.lang;
    button.dir = said.dir;
    said.replaceWith(button);
    button.addEventListener("click", () => {
      const at = field.selectionEnd;
      const apart = /\S$/.test(field.value.slice(0, at)) ? " " : "";
      field.setRangeText(`${apart}${button.textContent.replace(/\s*…$/, "")} `, at, at, "end");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  // What is typed is kept in this tab until it is sent: a crash, a flat battery or our own fault loses no word.
  const store = (deed) => {
    try {
      return deed(sessionStorage);
    } catch {
      return null; // switched off, or full
    }
  };
  const keep = one("form[data-keep]");
  if (keep) {
    const name = `postbag ${keep.dataset.keep}`;
    const fields = [...keep.querySelectorAll("textarea, input:not([type=hidden]):not([type=checkbox]), [name=drawn]")];
    const said = one("#kept");
    const { version } = keep.dataset; // of what the server keeps; it changes with each form that arrives
    let kept = store((storage) => JSON.parse(storage.getItem(name)));
    if (kept && kept.posted && kept.version !== version) kept = null;
    const typed = kept ? kept.typed : {};
    const lost = fields.some((field) => field.type !== "hidden" && typed[field.name] && typed[field.name] !== field.value);
    const back = one("#bring-back");
    if (lost && back) {
      back.hidden = false;
      back.querySelector("button").addEventListener("click", () => {
        for (const field of fields) if (typed[field.name]) field.value = typed[field.name];
        back.hidden = true;
        (keep.elements.body || fields[0]).focus();
      });
    }
    let timer = 0;
    const write = (posted) => {
      const now = { version, posted, typed: Object.fromEntries(fields.map((field) => [field.name, field.value])) };
      const done = store((storage) => {
        storage.setItem(name, JSON.stringify(now));
        return true;
      });
      if (done && said) said.textContent = said.dataset.said.replace("%s", new Date().toTimeString().slice(0, 5));
    };
    keep.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(write, 1000);
    });
    keep.addEventListener("submit", () => {
      clearTimeout(timer);
      timer = 0;
      write(!!version);
    });
    addEventListener("pagehide", () => timer && write());
  }
  if (wait || one("[data-sent]")) {
    store((storage) => Object.keys(storage).filter((name) => name.startsWith("postbag ")).forEach((name) => storage.removeItem(name)));
  }

  // Sharing: the links follow what is typed; the browser's own way, where it has one; copying.
  const text = one("#share-text");
  if (text) {
    const shown = (id) => {
      const button = document.getElementById(id);
      button.parentElement.hidden = false;
      return button;
    };
    const typed = () => text.value.replace(text.dataset.link, "").trim();
    const coded = (said) => encodeURIComponent(said).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
    const follow = () => {
      for (const link of all("[data-follows]")) {
        const part = (said) => coded(link.dataset.follows === "both" ? `${said} ${link.dataset.link}` : said);
        const before = link.dataset.words || text.dataset.words;
        link.dataset.words = typed();
        link.setAttribute("href", link.getAttribute("href").replace(part(before), () => part(typed())));
      }
    };
    text.addEventListener("input", follow);
    const quote = one("[name=quote]");
    if (quote) {
      quote.form.querySelector("button").hidden = true;
      quote.addEventListener("change", () => {
        const said = text.dataset.quote;
        text.value = quote.checked ? said + text.value : text.value.replace(said, "");
        follow();
      });
    }
    if (navigator.clipboard) {
      const copy = shown("copy");
      copy.addEventListener("click", () =>
        navigator.clipboard.writeText(text.value).then(
          () => (one("#copied").textContent = copy.dataset.done),
          () => text.select(),
        ));
    }
    if (navigator.share) {
      const share = shown("share-one");
      share.addEventListener("click", (event) => {
        event.preventDefault(); // after the last letter it opens the other ways, which this one leaves to those who refuse
        const url = text.dataset.link.replace("via=copy", "via=share");
        navigator.share({ title: share.dataset.title, text: typed(), url }).catch(() => (share.parentElement.open = true));
      });
    }
  }
})();
