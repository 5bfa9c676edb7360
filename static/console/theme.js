// Runs before the first paint, so that a page never flashes in the wrong colours.
(() => {
  "use strict";
  const KEY = "concord-theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(KEY) || "system";
    } catch {
      return "system"; // storage is switched off
    }
  };

  const apply = () => {
    const choice = chosen();
    const shown = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.setAttribute("data-bs-theme", shown);
    document.documentElement.setAttribute("data-theme-choice", choice);
    document.dispatchEvent(new CustomEvent("concord:theme"));
  };

  const mark = () => {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      if (button !== document.documentElement) {
        button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen()));
      }
    }
  };

  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", mark);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(KEY, button.dataset.themeChoice);
    } catch {
      return;
    }
    apply();
    mark();
  });
})();
