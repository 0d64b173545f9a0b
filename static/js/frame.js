// In a partner's frame: tells the listed page around it, and no other, how high this one is.
(() => {
  if (parent === window) return;
  const around = location.ancestorOrigins;
  const listed = document.currentScript.dataset.parents.split(" ").filter((one) => !around || one === around[0]);
  let told = 0;
  const tell = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === told) return;
    told = height;
    for (const origin of listed) parent.postMessage({ postbag: height }, origin);
  };
  new ResizeObserver(tell).observe(document.body);
  tell();
})();
