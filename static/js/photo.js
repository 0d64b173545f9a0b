// Makes a chosen picture a small square. Without it the file goes as it is, and the page says what is wrong with it.
(() => {
  const field = document.getElementById("photo");
  const said = document.getElementById("photo-said");
  if (!field || !said || !window.createImageBitmap || !window.DataTransfer) return;
  const most = 4096;
  const side = 96;

  const packed = (canvas, type, quality) => new Promise((done) => { canvas.toBlob(done, type, quality); });

  const small = async (file) => {
    const picture = await createImageBitmap(file);
    const edge = Math.min(picture.width, picture.height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, (picture.width - edge) / 2, (picture.height - edge) / 2, edge, edge, 0, 0, side, side);
    for (const quality of [0.8, 0.65, 0.5, 0.35, 0.2, 0.1]) {
      for (const type of ["image/webp", "image/jpeg"]) {
        const made = await packed(canvas, type, quality);
        if (made && made.type === type && made.size <= most) return made;
      }
    }
    return null;
  };

  field.addEventListener("change", async () => {
    const file = field.files[0];
    said.textContent = "";
    if (!file || file.size <= most) return;
    let made = null;
    try {
      made = await small(file);
    } catch {
      // No picture that this browser can read: the server says what is wrong with it.
    }
    if (field.files[0] !== file) return; // another was chosen meanwhile
    if (!made) { said.textContent = said.dataset.failed; return; }
    const files = new DataTransfer();
    files.items.add(new File([made], "photo", { type: made.type }));
    field.files = files.files;
    said.textContent = said.dataset.made.replace("SIZE", (made.size / 1024).toFixed(1));
  });
})();
