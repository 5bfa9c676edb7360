// The behaviour of the frame. Everything works without it, except what is live.
(() => {
  "use strict";
  const LOCALE = document.documentElement.lang || "en";
  const announcer = document.getElementById("announcer");

  const say = (text) => {
    if (announcer && announcer.textContent !== text) announcer.textContent = text;
  };

  // --- times ---------------------------------------------------------------------------------------------------------

  const UNITS = [
    ["year", 31536000],
    ["month", 2592000],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ];
  const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
  const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });

  const refreshTimes = (root) => {
    for (const element of root.querySelectorAll("time[data-ago]")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const seconds = Math.round((at - Date.now()) / 1000);
      const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || ["second", 1];
      const text = relative.format(Math.round(seconds / size), unit);
      if (element.textContent !== text) element.textContent = text;
      element.title = exact.format(at);
    }
  };

  // --- copying -------------------------------------------------------------------------------------------------------

  const put = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  const copy = async (button) => {
    await put(button.dataset.copy);
    button.classList.add("is-copied");
    say(button.dataset.copied || "");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  };

  // --- notices -------------------------------------------------------------------------------------------------------

  const closeNotice = (notice) => {
    notice.classList.add("is-leaving");
    setTimeout(() => notice.remove(), 200);
  };

  const startNotices = () => {
    for (const notice of document.querySelectorAll("[data-notice]")) {
      if (["success", "info"].includes(notice.dataset.notice)) setTimeout(() => closeNotice(notice), 7000);
    }
  };

  // --- asking before something happens -------------------------------------------------------------------------------

  const dialog = document.getElementById("confirm");
  let asked = null;
  let confirmed = null; // good for one sending

  const ask = (form) => {
    asked = form;
    const button = form.querySelector("button[type=submit], button:not([type])");
    const accept = dialog.querySelector("[data-dialog-accept]");
    dialog.querySelector("#confirm-text").textContent = form.dataset.confirm;
    accept.textContent = button ? button.textContent.trim() : accept.textContent;
    accept.className = `btn ${/btn-(outline-|ghost-)?danger/.test(button?.className || "") ? "btn-danger" : "btn-primary"}`;
    dialog.showModal();
    dialog.querySelector("[data-dialog-cancel]").focus();
  };

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.dataset.confirm && form !== confirmed && dialog?.showModal) {
        event.preventDefault();
        event.stopPropagation();
        ask(form);
        return;
      }
      confirmed = null;
      if (form.method === "post" && !form.hasAttribute("hx-post")) holdButtons(form);
    },
    true,
  );

  // A second click on the same button must not send the form twice.
  const holdButtons = (form) => {
    setTimeout(() => {
      for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) {
        button.setAttribute("aria-busy", "true");
        button.disabled = true;
      }
    });
  };

  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("button[aria-busy]")) {
      button.removeAttribute("aria-busy");
      button.disabled = false;
    }
  });

  // --- clicks --------------------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    const copying = hit("[data-copy]");
    if (copying) {
      event.preventDefault();
      copy(copying);
    } else if (hit("[data-close-notice]")) {
      closeNotice(hit(".notice"));
    } else if (hit("[data-dialog-cancel]")) {
      hit("dialog").close();
    } else if (hit("[data-dialog-accept]")) {
      dialog.close();
      confirmed = asked;
      asked?.requestSubmit(asked.querySelector("button[type=submit], button:not([type])"));
    }
    const box = document.querySelector("[data-search]");
    if (box && !box.contains(event.target)) hideHits();
  });

  // --- filters -------------------------------------------------------------------------------------------------------

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-filter]");
    if (form && event.target.matches("select, input[type=date]")) form.requestSubmit();
  });

  // --- the search box ------------------------------------------------------------------------------------------------

  const searchBox = () => document.getElementById("search-box");
  const hits = () => document.getElementById("search-hits");
  const options = () => [...(hits()?.querySelectorAll("[role=option]") || [])];

  const hideHits = () => {
    if (!hits()) return;
    hits().hidden = true;
    searchBox().setAttribute("aria-expanded", "false");
    searchBox().removeAttribute("aria-activedescendant");
  };

  const showHits = () => {
    const filled = searchBox().value.trim() !== "" && hits().childElementCount > 0;
    hits().hidden = !filled;
    searchBox().setAttribute("aria-expanded", String(filled));
  };

  const move = (by) => {
    const all = options();
    if (!all.length) return;
    const now = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const next = all[(now + by + all.length + (now < 0 && by < 0 ? 1 : 0)) % all.length];
    for (const each of all) each.setAttribute("aria-selected", String(each === next));
    searchBox().setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (searchBox() && !typing && (event.key === "/" || (event.key === "k" && (event.ctrlKey || event.metaKey)))) {
      event.preventDefault();
      searchBox().focus();
      searchBox().select();
      return;
    }
    if (event.target !== searchBox()) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      showHits();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      hideHits();
    } else if (event.key === "Enter") {
      const chosen = options().find((each) => each.getAttribute("aria-selected") === "true");
      if (chosen && !hits().hidden) {
        event.preventDefault();
        window.location.assign(chosen.href);
      }
    }
  });

  // --- the live part -------------------------------------------------------------------------------------------------

  let lastAnswer = "";
  let opened = new Set();
  let focused = "";
  let words = "";
  let lost = false;

  const isBusy = (live) => {
    const selection = window.getSelection();
    const selecting = selection && !selection.isCollapsed && live.contains(selection.anchorNode);
    const asking = document.querySelector("dialog[open]");
    return asking || selecting || live.querySelector(".dropdown-menu.show, [data-tip][aria-describedby], input:focus, textarea:focus, select:focus");
  };

  const withoutTimes = (text) => text.replace(/<time[^>]*>[^<]*<\/time>/g, "").replace(/value="[\w-]{64}"/g, "");

  const announced = (live) => live.querySelector("[data-announce]")?.textContent.trim().replace(/\s+/g, " ") || "";

  document.addEventListener("htmx:beforeRequest", (event) => {
    const target = event.detail.elt;
    if (target.hasAttribute("data-live") && (document.hidden || isBusy(target))) event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const asker = event.detail.requestConfig?.elt;
    if (event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname.startsWith("/login")) {
      event.detail.shouldSwap = false;
      window.location.reload(); // the session has ended
      return;
    }
    if (!asker?.hasAttribute("data-live")) return;
    const answer = withoutTimes(event.detail.serverResponse);
    if (answer === lastAnswer || isBusy(asker)) {
      event.detail.shouldSwap = false;
      return;
    }
    lastAnswer = answer;
    opened = new Set([...asker.querySelectorAll("details[open][id]")].map((each) => each.id));
    focused = asker.contains(document.activeElement) ? document.activeElement.id : "";
    words = announced(asker);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "search-hits") showHits();
  });

  document.addEventListener("htmx:load", (event) => {
    const part = event.target;
    refreshTimes(part.parentElement || document);
    if (part.id !== "live" || part === document.body) return;
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    const now = announced(part);
    if (now && now !== words) say(now);
  });

  const lose = () => {
    if (!lost) say(announcer?.dataset.lost || "");
    lost = true;
    document.body.classList.add("is-offline");
  };

  document.addEventListener("htmx:sendError", lose);
  document.addEventListener("htmx:responseError", lose);
  document.addEventListener("htmx:afterOnLoad", () => {
    if (!lost) return;
    lost = false;
    document.body.classList.remove("is-offline");
    say(announcer?.dataset.back || "");
  });

  // --- tooltips of buttons that are denied ----------------------------------------------------------------------------

  const tips = (root) => {
    const Tooltip = window.tabler?.bootstrap?.Tooltip || window.bootstrap?.Tooltip;
    if (!Tooltip) return;
    for (const element of root.querySelectorAll("[data-tip]")) {
      element.removeAttribute("title");
      Tooltip.getOrCreateInstance(element, { title: element.dataset.tip, trigger: "hover focus click" });
    }
  };

  document.addEventListener("htmx:load", (event) => tips(event.target));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    const Tooltip = window.tabler?.bootstrap?.Tooltip || window.bootstrap?.Tooltip;
    if (event.target.dataset?.tip) Tooltip?.getInstance(event.target)?.dispose();
  });

  // After a form came back: the first field that is wrong; what concerns no field stands above the form.
  const focusTrouble = () => {
    const above = document.querySelector("[data-focus]");
    const wrong = above?.dataset.focus === "field" && document.querySelector("form [aria-invalid='true']");
    const field = wrong && (wrong.matches("fieldset") ? wrong.querySelector("input:enabled") : wrong);
    (field || above)?.focus();
  };

  refreshTimes(document);
  setInterval(() => refreshTimes(document), 5000);
  startNotices();
  tips(document);
  focusTrouble();
})();
