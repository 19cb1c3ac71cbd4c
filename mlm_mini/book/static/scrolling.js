// Whatever is wider than its box can be scrolled with the keyboard; what fits is no stop of the Tab key.
const SCROLLS =
  ".book-figure, .output, .cell_output pre, .highlight pre, .pst-scrollable-table-container, div.math, mjx-container";

function markScrollers() {
  for (const formula of document.querySelectorAll("span.math mjx-container")) {
    formula.classList.remove("book-wide");
    const line = formula.closest("p, li, td, th").clientWidth;
    formula.classList.toggle("book-wide", formula.getBoundingClientRect().width > line);
  }
  for (const box of document.querySelectorAll(SCROLLS)) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible";
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

addEventListener("load", () => {
  markScrollers();
  window.MathJax?.startup?.promise.then(markScrollers);
});
addEventListener("resize", markScrollers);
