// The mapping studio's editor: a plain text area with line numbers, marks at the lines that were complained about, and
// what is typed kept by itself. Without scripts there is the text area and its button.
(() => {
  "use strict";
  const KEEP_AFTER = 1200; // milliseconds without a key
  const editor = document.querySelector("[data-editor]");
  const area = editor?.querySelector("textarea");
  if (!area) return;
  const gutter = editor.querySelector(".editor-lines");
  const form = area.form;
  const keeps = form.hasAttribute("data-keeps");
  let numbers = 0;
  let kept = area.value;
  let timer = 0;

  // --- line numbers --------------------------------------------------------------------------------------------------

  const marks = () => {
    const found = new Map();
    for (const link of document.querySelectorAll("#workbench [data-line][data-level]")) {
      const line = Number(link.dataset.line);
      if (found.get(line) !== "error") found.set(line, link.dataset.level);
    }
    return found;
  };

  const number = () => {
    const wanted = area.value.split("\n").length;
    if (wanted === numbers) return;
    numbers = wanted;
    gutter.replaceChildren(
      ...Array.from({ length: wanted }, (_, index) => {
        const line = document.createElement("span");
        line.textContent = index + 1;
        return line;
      }),
    );
    mark();
  };

  const mark = () => {
    const found = marks();
    [...gutter.children].forEach((line, index) => {
      const level = found.get(index + 1) || "";
      if ((line.dataset.level || "") !== level) line.dataset.level = level;
    });
  };

  area.addEventListener("scroll", () => {
    gutter.scrollTop = area.scrollTop;
  });

  // --- jumping -------------------------------------------------------------------------------------------------------

  const jump = (line) => {
    const lines = area.value.split("\n");
    const at = Math.min(Math.max(line, 1), lines.length);
    const start = lines.slice(0, at - 1).reduce((sum, each) => sum + each.length + 1, 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(start, start + lines[at - 1].length);
    const height = parseFloat(getComputedStyle(area).lineHeight) || 20;
    area.scrollTop = Math.max(0, (at - 4) * height);
    area.scrollLeft = 0;
    gutter.scrollTop = area.scrollTop;
    editor.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    jump(Number(link.dataset.line));
  });

  // --- keeping -------------------------------------------------------------------------------------------------------

  const storage = `studio:${location.pathname}`; // {revision, text}: good as long as nothing newer was saved
  const revision = () => form.querySelector("[name=revision]").value;

  const keep = () => {
    clearTimeout(timer);
    if (keeps && window.htmx) window.htmx.trigger(form, "keep");
  };

  area.addEventListener("input", () => {
    number();
    if (!keeps) return;
    // Should the session end before it is kept.
    sessionStorage.setItem(storage, JSON.stringify({ revision: revision(), text: area.value }));
    clearTimeout(timer);
    timer = setTimeout(keep, KEEP_AFTER);
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (keeps) keep();
    else form.requestSubmit();
  });

  form.addEventListener(
    "submit",
    (event) => {
      const file = form.querySelector("input[type=file]");
      if (!keeps || file?.files.length) {
        kept = area.value;
        sessionStorage.removeItem(storage);
        return; // the whole form goes
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      keep();
    },
    true,
  );

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === form) form.dataset.sent = area.value;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "workbench" && !event.target.querySelector?.("#workbench")) return;
    if (!document.querySelector("#workbench > .alert[role=alert]") && form.dataset.sent !== undefined) {
      kept = form.dataset.sent;
      if (kept === area.value) sessionStorage.removeItem(storage);
    }
    mark();
  });

  for (const failure of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failure, (event) => {
      const words = document.getElementById("kept");
      if (event.detail.elt === form && words) words.textContent = form.dataset.failed || "";
    });
  }

  window.addEventListener("beforeunload", (event) => {
    if (area.value !== kept) event.preventDefault();
  });

  // --- the beginning -------------------------------------------------------------------------------------------------

  const unkept = keeps && JSON.parse(sessionStorage.getItem(storage) || "null");
  if (unkept && unkept.revision === revision() && unkept.text !== area.value) {
    area.value = unkept.text;
    timer = setTimeout(keep, 50);
  } else {
    sessionStorage.removeItem(storage);
  }
  number();
  mark();
  if (editor.dataset.startLine) jump(Number(editor.dataset.startLine));
})();
