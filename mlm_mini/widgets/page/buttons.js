// Buttons of the browser's own that say whether they are pressed: one of several, or one alone that stays down.
//
// The model is that of ipywidgets' ToggleButtons, with `index` and `_options_labels`, or of its ToggleButton, whose
// `value` is whether it is pressed.

const LOOK = "min-height: 28px; padding: 2px 10px; margin: 1px; font: inherit; cursor: pointer; border-radius: 2px;"
  + "color: var(--jp-ui-font-color1, inherit); border: 1px solid var(--jp-border-color1, #bbb);";
const DOWN = "background: var(--jp-layout-color3, #ccc); border-color: currentColor; font-weight: bold";
const UP = "background: var(--jp-layout-color1, transparent)";
let made = 0;

function render({ model, el }) {
  const alone = model.get("_options_labels") === undefined;
  const row = document.createElement("div");
  row.style.cssText = "display: flex; flex-wrap: wrap; align-items: center; color: var(--jp-ui-font-color1, inherit);"
    + `font-size: var(--jp-widgets-font-size, 13px); margin: ${alone ? 0 : 2}px`;

  const labels = () => (alone ? [model.get("description")] : model.get("_options_labels"));
  const pressed = (i) => (alone ? model.get("value") : model.get("index") === i);
  const press = (i) => {
    alone ? model.set("value", !model.get("value")) : model.set("index", i);
    model.save_changes();
    mark();
  };
  const mark = () => row.querySelectorAll("button").forEach((button, i) => {
    button.setAttribute("aria-pressed", pressed(i));
    button.style.cssText = LOOK + (pressed(i) ? DOWN : UP);
  });
  const draw = () => {
    row.querySelectorAll("button").forEach((button) => button.remove());
    for (const [i, label] of labels().entries()) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      button.title = alone ? model.get("tooltip") || "" : "";
      button.addEventListener("click", () => press(i));
      row.append(button);
    }
    mark();
  };
  if (!alone) {
    const name = Object.assign(document.createElement("span"), { textContent: model.get("description") });
    name.id = `mlm-mini-choice-${++made}`;
    name.style.marginRight = "8px";
    row.setAttribute("role", "group");
    row.setAttribute("aria-labelledby", name.id);
    row.append(name);
  }
  // A notebook has commands on both; while a button has the focus they press it.
  row.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && event.stopPropagation());

  model.on(`change:${alone ? "value" : "index"}`, mark);
  if (!alone) model.on("change:_options_labels", draw);
  draw();
  el.append(row);
  return () => { model.off(null, mark); model.off(null, draw); };
}

export default { render };
