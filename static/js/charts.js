// Draw the charts of a page. The shapes are those of crm/charts.py; ECharts is loaded once, when needed.
const root = document.documentElement;
const drawn = new Map();
let library;

function load(address) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.echarts);
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

function look() {
  const style = getComputedStyle(root);
  const probe = document.createElement("span");
  document.body.append(probe);
  // A canvas does not know light-dark(): let the browser work the colour out.
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const result = {
    palette: [1, 2, 3, 4, 5, 6, 7, 8].map((place) => colour(`chart-${place}`)),
    ink: colour("chart-ink"),
    strong: colour("ink"),
    line: colour("chart-line"),
    paper: colour("paper"),
    font: style.getPropertyValue("--font"),
  };
  probe.remove();
  return result;
}

function writer(options, compact) {
  const more = compact ? { notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 } : {};
  const format = new Intl.NumberFormat(root.lang, { ...options, ...more });
  return (value) => (value === null || value === undefined || Number.isNaN(value) ? "–" : format.format(value));
}

function colourOf(one, place, theme) {
  return theme.palette[((one.colour ?? place + 1) - 1) % theme.palette.length];
}

function escape(text) {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}

function line(mark, name, value) {
  return `<div>${mark} ${escape(name)} <b>${escape(value)}</b></div>`;
}

const ruler = document.createElement("canvas").getContext("2d");

function widthOf(words, theme) {
  ruler.font = `12px ${theme.font}`;
  return ruler.measureText(words).width;
}

// A legend is written out in as many lines as it needs: names that must be leafed through are not read.
function legendLines(names, theme) {
  let lines = 1;
  let used = 0;
  for (const name of names) {
    const wide = widthOf(name, theme) + 30;
    if (used && used + wide > theme.width) {
      lines += 1;
      used = 0;
    }
    used += wide;
  }
  return lines;
}

function frame(theme, names, label) {
  const text = { color: theme.ink, fontFamily: theme.font, fontSize: 12 };
  const many = names.length > 1;
  const lines = many ? legendLines(names, theme) : 0;
  return {
    text,
    base: {
      textStyle: text,
      animation: false,
      color: theme.palette,
      grid: { left: 8, right: 16, top: Math.min(lines, 5) * 22 + (label ? 30 : 12), bottom: 8, containLabel: true },
      legend: {
        show: many,
        type: lines > 5 ? "scroll" : "plain",
        itemGap: 12,
        top: 0,
        left: 0,
        icon: "roundRect",
        itemWidth: 12,
        itemHeight: 8,
        textStyle: text,
        pageTextStyle: text,
        pageIconColor: theme.ink,
        pageIconInactiveColor: theme.line,
      },
      tooltip: {
        confine: true,
        backgroundColor: theme.paper,
        borderColor: theme.line,
        textStyle: { ...text, color: theme.strong },
        transitionDuration: 0,
      },
    },
  };
}

function valueAxis(label, format, theme, text) {
  return {
    type: "value",
    name: label,
    nameTextStyle: { ...text, align: "left" },
    axisLabel: { ...text, formatter: writer(format, true), hideOverlap: true },
    splitLine: { lineStyle: { color: theme.line } },
    axisLine: { show: false, onZero: false },
    axisTick: { show: false },
  };
}

function acrossAxis(label, format, theme, text) {
  return {
    ...valueAxis(label, format, theme, text),
    nameLocation: "middle",
    nameGap: 26,
    nameTextStyle: text,
    axisLine: { show: true, onZero: false, lineStyle: { color: theme.line } },
    splitLine: { show: false },
    scale: true,
  };
}

// Names stand whole: in lines under or beside their bars where there is room, else each n-th of them.
function categoryLabels(data, theme) {
  const widest = Math.max(0, ...data.labels.map((label) => widthOf(label, theme)));
  if (data.horizontal) {
    return { width: Math.ceil(Math.min(widest, theme.width * 0.4)) + 2, overflow: "break", lineHeight: 15 };
  }
  const room = (theme.width - 72) / Math.max(data.labels.length, 1) - 6;
  if (data.kind === "histogram" || widest <= room || room < 56) return { hideOverlap: true, alignMaxLabel: "right" };
  return { interval: 0, width: room, overflow: "break", lineHeight: 15, lines: Math.ceil(widest / room) + 1 };
}

function categoryAxis(data, theme, text) {
  const { lines, ...labels } = categoryLabels(data, theme);
  return {
    type: "category",
    data: data.labels,
    nameGap: 28 + 15 * ((lines ?? 1) - 1),
    axisLabel: { ...text, ...labels },
    axisLine: { lineStyle: { color: theme.line } },
    axisTick: { show: false },
    inverse: data.horizontal,
  };
}

function band(one, place, theme) {
  const colour = colourOf(one, place, theme);
  const low = one.band.map((pair) => pair?.[0] ?? null);
  const gap = one.band.map((pair) => (pair?.[0] === null || !pair ? null : pair[1] - pair[0]));
  const shared = { type: "line", stack: `band ${place}`, symbol: "none", silent: true, lineStyle: { opacity: 0 } };
  return [
    { ...shared, data: low, tooltip: { show: false } },
    { ...shared, data: gap, areaStyle: { color: colour, opacity: 0.18 } },
  ];
}

function categorySeries(data, theme) {
  const isLine = data.kind === "line";
  const many = data.labels.length > 40;
  return data.series.flatMap((one, place) => {
    const colour = colourOf(one, place, theme);
    const shared = {
      name: one.name || data.yLabel,
      data: one.data,
      itemStyle: { color: colour },
      cursor: data.links.length ? "pointer" : "default",
    };
    if (isLine) {
      const drawnLine = {
        ...shared,
        type: "line",
        symbol: "circle",
        symbolSize: 5,
        showSymbol: !many,
        lineStyle: { color: colour, width: 2, type: one.dashed ? "dashed" : "solid" },
      };
      return one.band ? [...band(one, place, theme), drawnLine] : [drawnLine];
    }
    return [
      {
        ...shared,
        type: "bar",
        stack: data.kind === "stacked" ? "all" : undefined,
        barMaxWidth: data.kind === "histogram" ? undefined : 48,
        barCategoryGap: data.kind === "histogram" ? "4%" : "30%",
        itemStyle: { color: colour, opacity: one.dashed ? 0.55 : 1 },
      },
    ];
  });
}

function categoryChart(data, theme) {
  const names = data.series.map((one) => one.name || data.yLabel);
  const { base, text } = frame(theme, names, data.yLabel && !data.horizontal);
  const write = writer(data.yFormat);
  const category = categoryAxis(data, theme, text);
  const value = valueAxis(data.yLabel, data.yFormat, theme, text);
  if (data.horizontal) Object.assign(value, { name: "", splitNumber: 4 });
  else Object.assign(category, { name: data.xLabel, nameLocation: "middle", nameTextStyle: text });
  if (!data.horizontal && data.xLabel) base.grid.bottom = category.nameGap - 4;
  base.tooltip.trigger = "axis";
  base.tooltip.axisPointer = { type: data.kind === "line" ? "line" : "shadow" };
  base.tooltip.formatter = (points) => {
    const shown = points.filter((point) => data.series.some((one) => (one.name || data.yLabel) === point.seriesName));
    return `<b>${escape(points[0].name)}</b>` + shown.map((p) => line(p.marker, p.seriesName, write(p.value))).join("");
  };
  return {
    ...base,
    legend: { ...base.legend, data: names },
    xAxis: data.horizontal ? value : category,
    yAxis: data.horizontal ? category : value,
    series: categorySeries(data, theme),
  };
}

function scatterChart(data, theme) {
  const { base, text } = frame(theme, data.series.map((one) => one.name), data.yLabel);
  const x = writer(data.xFormat);
  const y = writer(data.yFormat);
  // Shape tells the classes apart where colour cannot.
  const shapes = ["circle", "rect", "triangle", "diamond", "pin", "roundRect", "arrow"];
  base.grid.bottom = 24;
  base.legend.icon = undefined;
  base.tooltip.formatter = (point) =>
    line(point.marker, point.seriesName, `${x(point.value[0])} · ${y(point.value[1])}`);
  return {
    ...base,
    xAxis: acrossAxis(data.xLabel, data.xFormat, theme, text),
    yAxis: { ...valueAxis(data.yLabel, data.yFormat, theme, text), scale: true },
    series: data.series.map((one, place) => ({
      type: "scatter",
      name: one.name,
      data: one.data,
      symbol: shapes[place % shapes.length],
      symbolSize: one.data.length > 1500 ? 3 : 6,
      large: one.data.length > 5000,
      itemStyle: { color: colourOf(one, place, theme), opacity: 0.65 },
    })),
  };
}

function calibrationChart(data, theme) {
  const { base, text } = frame(theme, [data.words.ideal, ...data.series.map((one) => one.name)], data.yLabel);
  const share = { style: "percent", maximumFractionDigits: 1 };
  const write = writer(share);
  const count = writer({});
  const axis = { min: 0, max: 1, interval: 0.25, scale: false };
  base.grid.bottom = 24;
  base.tooltip.formatter = (point) =>
    point.value.length < 3
      ? escape(point.seriesName)
      : line(point.marker, data.xLabel, write(point.value[0])) +
        line("", data.yLabel, write(point.value[1])) +
        line("", data.words.count, count(point.value[2]));
  const most = Math.max(...data.series.flatMap((one) => one.data.map((point) => point[2])), 1);
  return {
    ...base,
    xAxis: { ...acrossAxis(data.xLabel, share, theme, text), ...axis },
    yAxis: { ...valueAxis(data.yLabel, share, theme, text), ...axis },
    series: [
      {
        type: "line",
        name: data.words.ideal,
        data: [[0, 0], [1, 1]],
        symbol: "none",
        itemStyle: { color: theme.ink },
        lineStyle: { color: theme.ink, type: "dashed", width: 1 },
      },
      ...data.series.map((one, place) => ({
        type: "line",
        name: one.name,
        data: one.data,
        symbol: "circle",
        symbolSize: (point) => 5 + 13 * Math.sqrt(point[2] / most),
        itemStyle: { color: colourOf(one, place, theme) },
        lineStyle: { color: colourOf(one, place, theme), width: 2 },
      })),
    ],
  };
}

const KINDS = { scatter: scatterChart, calibration: calibrationChart };

async function draw(area) {
  if (drawn.has(area)) return;
  const data = JSON.parse(area.querySelector("script").textContent);
  drawn.set(area, null);
  const echarts = await load(area.dataset.echarts);
  const picture = echarts.init(area.appendChild(document.createElement("div")), null, {
    renderer: "canvas",
    width: "auto",
    height: area.clientHeight,
  });
  const paint = () => picture.setOption((KINDS[data.kind] ?? categoryChart)(data, { ...look(), width: area.clientWidth }), true);
  paint();
  drawn.set(area, { picture, paint });
  if (data.links.length) {
    picture.on("click", (point) => {
      const link = data.links[point.dataIndex];
      if (link) window.location.assign(link);
    });
  }
  let width = area.clientWidth;
  new ResizeObserver(() => {
    picture.resize();
    if (area.clientWidth !== width) paint();
    width = area.clientWidth;
  }).observe(area);
}

// Charts further down wait until they come into view.
const arrivals = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      arrivals.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "300px" },
);

function watch(part) {
  for (const area of part.querySelectorAll("[data-chart]")) arrivals.observe(area);
  for (const [area, chart] of drawn) {
    if (area.isConnected) continue;
    chart?.picture.dispose();
    drawn.delete(area);
  }
}

watch(document);
document.addEventListener("htmx:load", (event) => watch(event.detail.elt));
new MutationObserver(() => {
  for (const chart of drawn.values()) chart?.paint();
}).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
