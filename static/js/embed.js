// Turns links with data-postbag into frames that are as high as what they show. For pages of partners.
(() => {
  for (const link of document.querySelectorAll("a[data-postbag]")) {
    const frame = document.createElement("iframe"), ours = new URL(link.dataset.postbag).origin;
    frame.src = link.dataset.postbag;
    frame.title = link.textContent.trim();
    frame.loading = "lazy";
    frame.allow = "clipboard-write; web-share";
    frame.style.cssText = "border:0;display:block;inline-size:100%;block-size:44rem";
    addEventListener("message", ({ data, origin, source }) => {
      const height = data && data.postbag;
      if (origin === ours && source === frame.contentWindow && height > 0 && height < 20000) {
        frame.style.blockSize = `${Math.ceil(height)}px`;
      }
    });
    let shown = 0; // each further page begins at its top
    frame.addEventListener("load", () => shown++ && frame.getBoundingClientRect().top < 0 && frame.scrollIntoView());
    link.replaceWith(frame);
  }
})();
