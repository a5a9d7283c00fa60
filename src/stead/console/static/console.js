// Live pages: what is in #live is loaded again when the server says that something changed. Without this, a page shows
// what was so when it was loaded.
(() => {
  "use strict";
  const live = () => document.getElementById("live");
  if (!live() || !document.body.dataset.changes) return;
  let late = false;

  // Nothing moves under somebody's hands: it waits until they have left.
  const busy = () => {
    late = live().contains(document.activeElement);
    document.body.classList.toggle("is-late", late);
    return late;
  };
  const look = () => {
    if (!busy()) {
      htmx.ajax("GET", location.pathname + location.search, { target: "#live", select: "#live", swap: "outerHTML" });
    }
  };
  // They may have come while it was on its way.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target === live() && busy()) event.detail.shouldSwap = false;
  });
  document.addEventListener("focusout", () => setTimeout(() => late && look(), 0));

  const source = new EventSource(document.body.dataset.changes);
  source.addEventListener("changed", look);
  source.addEventListener("open", () => document.body.classList.add("is-live"));
  source.addEventListener("error", () => document.body.classList.remove("is-live"));
  addEventListener("pagehide", () => source.close());
})();
