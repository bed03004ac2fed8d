// Returns what a reader without a mouse, or with weak sight, would miss: a list of findings, empty if none.
(() => {
  const found = [];
  const say = (node, what) => found.push(`${what}: ${node.outerHTML.slice(0, 120)}`);
  const seen = (node) => node.checkVisibility && node.checkVisibility({ visibilityProperty: true });
  const name = (node) => (node.getAttribute("aria-label") || node.textContent || node.title || "").trim();
  for (const node of document.querySelectorAll("button, a[href], summary")) if (!name(node)) say(node, "no name");
  for (const node of document.querySelectorAll("input, select, textarea")) if (!node.labels.length && !node.getAttribute("aria-label")) say(node, "no label");
  for (const node of document.querySelectorAll("[role=region], [role=img], [role=group], nav")) if (!node.getAttribute("aria-label")) say(node, "no aria-label");
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption || !table.querySelector("th[scope=col]")) say(table, "no caption or column heads");
  }
  const ids = Array.from(document.querySelectorAll("[id]"), (node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`two elements have the id ${id}`);
  for (const node of document.querySelectorAll("a[href^='#']")) if (!document.getElementById(node.hash.slice(1))) say(node, "leads nowhere");
  let before = 0;
  for (const node of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(node.tagName[1]);
    if (level > before + 1) say(node, "skips a heading level");
    before = level;
  }
  if (!document.documentElement.lang || !document.title || document.querySelectorAll("main").length !== 1) found.push("no language, title or one main");
  for (const node of document.querySelectorAll(".scroll")) if (node.scrollWidth > node.clientWidth && node.tabIndex < 0) say(node, "scrolls, but not from the keyboard");

  // Contrast by WCAG 2: text 4.5, large text 3.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) { const one = rgba(getComputedStyle(at).backgroundColor); if (one[3]) layers.push(one); if (one[3] === 1) break; }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => { const v = c[i] / 255; return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const poor = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const own = Array.from(node.childNodes).some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !seen(node) || node.closest("svg, option, noscript, script, style, .skip")) continue;
    const style = getComputedStyle(node);
    const back = ground(node);
    const front = over(rgba(style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.add(`contrast ${ratio.toFixed(2)}: ${node.tagName} ${node.className} ${style.color} on ${back.slice(0, 3).map(Math.round)}`);
  }
  return found.concat([...poor]).slice(0, 20);
})()
