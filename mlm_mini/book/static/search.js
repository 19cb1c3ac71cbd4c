// A search shows lines of the article in which it found the words, not of the buttons above it.
addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => {
    const article = new DOMParser().parseFromString(page, "text/html").querySelector("article");
    return textOf(article ? `<div role="main">${article.outerHTML}</div>` : page, anchor);
  };
});
