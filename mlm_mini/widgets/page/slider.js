// A slider of the browser's own and a number field, under one label. Either moves the other.
//
// The model is that of an ipywidgets slider: over numbers it has `value`, `min`, `max` and `step`; over words it has
// `index` and `_options_labels`, and the number is the word's position, from 0 on.

// A notebook takes these for moving from cell to cell; while the slider has the focus they are the slider's.
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
let made = 0;

function render({ model, el }) {
  const words = () => model.get("_options_labels");
  const key = words() ? "index" : "value";
  const name = model.get("description");

  const label = Object.assign(document.createElement("label"), { textContent: name, htmlFor: `mlm-mini-field-${++made}` });
  const field = Object.assign(document.createElement("input"), { type: "number", id: label.htmlFor });
  const handle = Object.assign(document.createElement("input"), { type: "range" });
  const word = document.createElement("span");
  handle.setAttribute("aria-label", name);
  word.setAttribute("aria-hidden", "true"); // it is spoken as the value of the handle

  const row = document.createElement("div"); // not `el`, whose style belongs to the layout
  row.style.cssText = "display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; margin: 2px;"
    + "color: var(--jp-ui-font-color1, inherit); font-size: var(--jp-widgets-font-size, 13px)";
  field.style.cssText = "width: 6em; min-height: 24px; box-sizing: border-box; color: inherit; font: inherit;"
    + "background: var(--jp-layout-color1, transparent); border: 1px solid var(--jp-ui-font-color2, #666)";
  handle.style.cssText = "flex: 1 1 14em; height: 28px; margin: 0"; // high enough for a finger

  const show = () => {
    const [least, most, step] = words() ? [0, words().length - 1, 1] : ["min", "max", "step"].map((n) => model.get(n));
    for (const input of [field, handle]) Object.assign(input, { min: least, max: most, step, value: model.get(key) });
    word.textContent = words() ? words()[model.get(key)] : "";
    handle.setAttribute("aria-valuetext", word.textContent || String(model.get(key)));
  };
  const move = (input) => {
    const asked = input.value === "" ? model.get(key) : Number(input.value);
    model.set(key, Math.min(Math.max(asked, Number(input.min)), Number(input.max)));
    model.save_changes();
    show();
  };
  handle.addEventListener("input", () => move(handle));
  field.addEventListener("change", () => move(field));
  field.addEventListener("keydown", (event) => event.key === "Enter" && move(field));
  row.addEventListener("keydown", (event) => KEYS.includes(event.key) && event.stopPropagation());

  for (const trait of [key, ...(words() ? ["_options_labels"] : ["min", "max"])]) model.on(`change:${trait}`, show);
  show();
  row.append(label, field, handle, word);
  el.append(row);
  return () => model.off(null, show);
}

export default { render };
