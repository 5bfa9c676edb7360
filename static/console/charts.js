// Charts by uPlot: <div data-chart="line|spark" data-points='[[x, y, …], …]'> or data-url (the same as JSON).
// x is seconds since 1970 (data-time="no": a plain number). data-label names the series (comma-separated), data-unit stands behind a value.
// The words of a chart for those who cannot see it belong into its aria-label.
(() => {
  "use strict";
  const drawn = new WeakMap();
  const LEGEND = 30; // pixels
  const LOCALE = document.documentElement.lang || "en";

  // A canvas does not know light-dark(), so the browser is asked what a property comes to here.
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.className = `chart-probe ${name}`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const columns = (points) => {
    const width = points.reduce((most, point) => Math.max(most, point.length), 2);
    return Array.from({ length: width }, (_, index) => points.map((point) => point[index] ?? null));
  };

  const series = (element, count, spark) => {
    const labels = (element.dataset.label || "").split(",");
    const unit = element.dataset.unit || "";
    const strokes = ["chart-1", "chart-2", "chart-3", "chart-4"];
    return Array.from({ length: count }, (_, index) => ({
      label: (labels[index] || "").trim() || " ",
      stroke: colour(strokes[index % strokes.length]),
      fill: index === 0 ? colour("chart-fill") : undefined,
      width: spark ? 1.5 : 2,
      points: { show: false },
      value: (_plot, value) => (value == null ? "–" : `${value.toLocaleString(LOCALE)}${unit}`),
    }));
  };

  const TWO_DAYS = 172800;
  const hours = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const days = new Intl.DateTimeFormat(LOCALE, { month: "short", day: "numeric" });
  const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

  const ticks = (_plot, values) => {
    const long = values.length > 1 && values[values.length - 1] - values[0] > TWO_DAYS;
    return values.map((value) => (long ? days : hours).format(new Date(value * 1000)));
  };

  const axes = (timed) => {
    const shared = {
      stroke: colour("chart-text"),
      grid: { stroke: colour("chart-grid"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const x = { ...shared, grid: { show: false }, size: 32 };
    return [timed ? { ...x, values: ticks } : x, { ...shared, size: 56 }];
  };

  const draw = (element, points) => {
    drawn.get(element)?.destroy();
    element.replaceChildren();
    if (!points.length) return;
    const spark = element.dataset.chart === "spark";
    const timed = element.dataset.time !== "no";
    const data = columns(points);
    const x = { value: (_plot, value) => (value == null ? "–" : timed ? exact.format(new Date(value * 1000)) : value) };
    x.label = element.dataset.x || (timed ? " " : "x");
    const plot = new uPlot(
      {
        width: Math.max(element.clientWidth, 40),
        height: (element.clientHeight || (spark ? 36 : 250)) - (spark ? 0 : LEGEND),
        padding: spark ? [2, 0, 2, 0] : undefined,
        cursor: { show: !spark, points: { size: 6 } },
        legend: { show: !spark && data.length > 1, live: true },
        scales: { x: { time: timed }, y: { range: (_plot, low, high) => range(low, high) } },
        series: [x, ...series(element, data.length - 1, spark)],
        axes: spark ? [{ show: false }, { show: false }] : axes(timed),
      },
      data,
      element,
    );
    drawn.set(element, plot);
  };

  // A flat line stands in the middle, nothing but zeros on the axis, and room is left above the highest point.
  const range = (low, high) => {
    if (low == null || high == null || (low === 0 && high === 0)) return [0, 1];
    const floor = Math.min(low, 0 <= low && low < high / 3 ? 0 : low);
    return floor === high ? [floor - 1, high + 1] : [floor, high + (high - floor) * 0.1];
  };

  const load = async (element) => {
    try {
      if (element.dataset.points) {
        draw(element, JSON.parse(element.dataset.points));
      } else if (element.dataset.url) {
        const answer = await fetch(element.dataset.url, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const body = await answer.json();
        draw(element, Array.isArray(body) ? body : body.points);
      }
      element.removeAttribute("data-failed");
    } catch {
      element.setAttribute("data-failed", "");
      element.textContent = document.getElementById("announcer")?.dataset.noFigures || "";
    }
  };

  const all = (root) => {
    for (const element of root.querySelectorAll("[data-chart]")) load(element);
    if (root.matches?.("[data-chart]")) load(root);
  };

  let waiting = 0;
  const redraw = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => all(document), 150);
  };

  document.addEventListener("DOMContentLoaded", () => all(document));
  document.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) all(event.target);
  });
  document.addEventListener("concord:theme", redraw);
  window.addEventListener("resize", redraw);
})();
