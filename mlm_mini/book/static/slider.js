// Shows the state of each `.book-slider` that its range input points at. The states were worked out at build time.
for (const slider of document.querySelectorAll(".book-slider")) {
  const { pieces, states } = JSON.parse(slider.querySelector("script").textContent);
  const range = slider.querySelector("input"), output = slider.querySelector("output");
  const status = slider.querySelector("[role=status]"), parts = slider.querySelectorAll(".book-slider-part");
  const made = new Map(); // an element for each piece, so that pictures are fetched once and do not flicker

  function element(piece) {
    if (!made.has(piece)) {
      const box = document.createElement("div");
      box.innerHTML = pieces[piece];
      made.set(piece, box);
    }
    return made.get(piece);
  }

  function show() {
    const [value, text, shown] = states[range.value];
    range.setAttribute("aria-valuetext", value);
    output.textContent = value;
    status.textContent = text;
    shown.forEach((piece, place) => parts[place].replaceChildren(element(piece)));
  }

  const fetchAll = () => pieces.forEach((_, piece) => element(piece));
  slider.addEventListener("pointerenter", fetchAll, { once: true });
  range.addEventListener("focus", fetchAll, { once: true });
  range.addEventListener("input", show);
}
