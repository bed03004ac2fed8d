
const data = JSON.parse(byId("data").textContent);
frame();


// -- samples --------------------------------------------------------------------------------------------
let passages = [];
function drawSample() {
  const sample = data.samples[Number(byId("sample").value)];
  const bytes = fromBase64(sample.bytes);
  passages = sample.tokens.map((tokens, number) => new Passage({
    bytes: tokens.bytes === null ? bytes : fromBase64(tokens.bytes), ids: tokens.ids, starts: tokens.starts, binary: sample.binary, sections: sample.sections, base: sample.start, changed: tokens.bytes !== null,
    label: `${sample.category} as ${data.names[number]} cuts it`, onSelect: selected,
  }));
  byId("samples").replaceChildren(...passages.map((passage, number) => el("article", { class: "sample" },
    el("h3", {}, data.names[number], el("small", {}, `${passage.ids.length} tokens, ${(bytes.length / Math.max(1, passage.ids.length)).toFixed(2)} bytes each` + (sample.tokens[number].bytes === null ? "" : "; normalised, so not compared"))),
    passage.root)));
  byId("inspector").textContent = "Nothing is selected.";
  markDifferences(passages, byId("reference").value);
}
function selected(passage, at) {
  const number = passages.indexOf(passage);
  byId("inspector").textContent = describe(data.names[number], passage, at);
  for (const other of passages) if (other !== passage) other.follow(passage, passage.starts[at], passage.end(at));
}
options(byId("sample"), data.samples.map((sample, number) => [number, sample.category]));
options(byId("reference"), [["all", "any other"], ["none", "none"], ...data.names.map((name, number) => [number, name])]);
byId("sample").addEventListener("change", drawSample);
byId("reference").addEventListener("change", () => markDifferences(passages, byId("reference").value));
if (data.samples.length) drawSample();

// -- vocabulary -----------------------------------------------------------------------------------------
const PAGE = 200;
let vocabularies = null;
let limit = PAGE;
async function inflate() {
  const stream = new Blob([fromBase64(byId("vocabulary-data").textContent)]).stream().pipeThrough(new DecompressionStream("deflate"));
  vocabularies = JSON.parse(await new Response(stream).text());
  for (const one of vocabularies) {
    for (let at = 1; at < one.ids.length; at++) one.ids[at] += one.ids[at - 1];
    one.lower = one.texts.map((text) => text.toLowerCase());
    one.order = one.ids.map((_, at) => at).sort((a, b) => one.counts[b] - one.counts[a] || a - b);
    one.residue = new Set(one.residue);
    one.special = new Set(one.special);
  }
}
const FILTERS = {
  all: ["all tokens", () => true],
  used: ["used", (one, at) => one.counts[at] > 0],
  unused: ["never used", (one, at) => one.counts[at] === 0 && !one.special.has(at)],
  residue: ["merge residue", (one, at) => one.residue.has(at)],
  special: ["special and added", (one, at) => one.special.has(at)],
};
function found(one) {
  const query = byId("query").value.toLowerCase();
  const keep = FILTERS[byId("filter").value][1];
  const id = /^#(\d+)$/.exec(query);
  const shown = query.replaceAll(" ", "␣");
  return one.order.filter((at) => keep(one, at) && (id ? one.ids[at] === Number(id[1]) : one.lower[at].includes(shown)));
}
async function drawVocabulary() {
  if (!vocabularies) await inflate();
  const number = Number(byId("tokenizer").value);
  const one = vocabularies[number];
  const matches = found(one);
  const part = one.ids.length < one.of ? ` The page lists the ${one.ids.length.toLocaleString("en")} most used of ${one.of.toLocaleString("en")}.` : "";
  byId("vocabulary-note").textContent = `${matches.length.toLocaleString("en")} token${matches.length === 1 ? "" : "s"}, most used first.${part}`;
  const head = el("tr", {}, ...["id", "token", "uses", "share"].map((name) => el("th", { scope: "col" }, name)));
  const rows = matches.slice(0, limit).map((at) => el("tr", {},
    el("th", { scope: "row" }, String(one.ids[at])), el("td", {}, el("span", { class: "token-text", dir: "auto" }, one.texts[at])),
    el("td", {}, one.counts[at].toLocaleString("en")), el("td", {}, (100 * one.counts[at] / Math.max(1, data.total[number])).toFixed(3) + "%")));
  byId("vocabulary").replaceChildren(el("table", {}, el("caption", {}, "Tokens found"), el("thead", {}, head), el("tbody", {}, ...rows)));
  byId("more").hidden = matches.length <= limit;
}
function restart() { limit = PAGE; return drawVocabulary(); }
options(byId("tokenizer"), data.names.map((name, number) => [number, name]));
options(byId("filter"), Object.entries(FILTERS).map(([value, [name]]) => [value, name]));
for (const name of ["tokenizer", "filter"]) byId(name).addEventListener("change", restart);
byId("query").addEventListener("input", restart);
byId("more").addEventListener("click", () => { limit += PAGE; drawVocabulary(); });
// Inflated when it comes near: most readers of the page want the table above.
new IntersectionObserver((entries, observer) => { if (entries.some((entry) => entry.isIntersecting)) { observer.disconnect(); restart(); } }, { rootMargin: "600px" }).observe(byId("section-vocabulary"));
