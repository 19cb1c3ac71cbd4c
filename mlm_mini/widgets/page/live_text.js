// A line of plain text that a screen reader speaks when it changes. The element stays and its text is replaced: a
// region that is itself replaced is not always spoken.

function render({ model, el }) {
  const line = document.createElement("div");
  line.style.cssText = "color: var(--jp-ui-font-color1, inherit); line-height: 1.45; max-width: 50em; margin: 6px 0;"
    + "font-size: var(--jp-widgets-font-size, 13px)";
  line.setAttribute("role", "status"); // and with it aria-live="polite" and aria-atomic="true"
  const show = () => { line.textContent = model.get("value"); };
  model.on("change:value", show);
  el.append(line);
  show();
  return () => model.off(null, show);
}

export default { render };
