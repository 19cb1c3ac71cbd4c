// A picture, replaced as a whole when it changes. The box around it scrolls where the page is narrow: then Tab stops
// there, so that the arrow keys can scroll it.

function render({ model, el }) {
  const shown = document.createElement("div");
  const show = () => { shown.innerHTML = model.get("value"); };
  const watch = new ResizeObserver(() => {
    const box = el.parentElement;
    if (box) box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
  });
  const stop = (event) => event.key.startsWith("Arrow") && event.stopPropagation();
  model.on("change:value", show);
  show();
  el.append(shown);
  watch.observe(shown);
  requestAnimationFrame(() => el.parentElement?.addEventListener("keydown", stop));
  return () => { model.off(null, show); watch.disconnect(); };
}

export default { render };
