
const data = JSON.parse(byId("data").textContent);
const SHOWN_BYTES = 1 << 20; // of a file that is dropped
const MOST_BYTES = 4 << 20; // of a request, as the server has it
const note = byId("drop-note").textContent;
frame();

async function ask(path, body) {
  if (body.length > MOST_BYTES) throw new Error("The text is above 4 MiB, the most that is encoded at once. Of a file that is dropped the first MiB is shown.");
  const answer = await fetch(path, { method: "POST", body, headers: { "X-Tokforge-Token": data.secret } });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error.message);
  return found;
}

let content = new Uint8Array();
let passages = [];
let asked = 0;
const isBinary = (bytes) => { try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0"); } catch { return true; } };
const chosen = () => Array.from(document.querySelectorAll("#which input:checked"), (box) => Number(box.value));

async function draw() {
  const number = ++asked;
  const bytes = content;
  const numbers = chosen();
  let found;
  try { found = await Promise.all(numbers.map((one) => ask(`/encode?tokenizer=${one}`, bytes))); } catch (error) {
    byId("inspector").textContent = String(error.message);
    return;
  }
  if (number !== asked) return; // the text has changed meanwhile
  const binary = isBinary(bytes);
  passages = found.map((one, at) => passage(numbers[at], one, bytes, binary));
  byId("samples").replaceChildren(...passages.map((one, at) => el("article", { class: "sample" },
    el("h3", {}, data.names[numbers[at]], el("small", {}, summary(found[at], bytes))), one.root)));
  byId("inspector").textContent = "Nothing is selected.";
  markDifferences(passages, byId("reference").value);
}
function passage(number, found, bytes, binary) {
  const raw = found.bytes === null ? bytes : fromBase64(found.bytes);
  const made = new Passage({
    bytes: raw.subarray(0, found.end), ids: found.ids, starts: found.starts, binary, sections: found.sections, changed: found.bytes !== null,
    label: `The text as ${data.names[number]} cuts it`, onSelect: selected,
  });
  made.number = number;
  made.root.addEventListener("click", () => tree(made));
  made.root.addEventListener("keydown", (event) => { if (event.key === "Enter") tree(made); });
  return made;
}
function summary(found, bytes) {
  const { tokens, ids } = found;
  const each = tokens ? `, ${(bytes.length / tokens).toFixed(2)} bytes each` : "";
  return `${tokens.toLocaleString("en")} token${tokens === 1 ? "" : "s"}${each}` + (tokens > ids.length ? `; the first ${ids.length.toLocaleString("en")} are shown` : "") + (found.bytes === null ? "" : "; normalised, so not compared");
}
function selected(one, at) {
  byId("inspector").textContent = describe(data.names[one.number], one, at);
  for (const other of passages) if (other !== one) other.follow(one, one.starts[at], one.end(at));
}
async function tree(one) {
  if (one.at < 0) return;
  const id = one.ids[one.at];
  const found = await ask(`/tree?tokenizer=${one.number}&id=${id}`, "");
  byId("tree-note").textContent = `${data.names[one.number]}: id ${id}` + (found.rank === null ? ", made by no merge." : ", and the merges that made it.");
  byId("tree").replaceChildren(el("ul", { class: "tree" }, branch(found)));
}
function branch(node) {
  const label = el("span", {}, el("code", {}, node.text), ` ${node.id}` + (node.rank === null ? "" : `, merge ${node.rank.toLocaleString("en")}`));
  return el("li", {}, label, ...(node.parts.length ? [el("ul", {}, ...node.parts.map(branch))] : []));
}

byId("which").append(...data.names.map((name, number) => {
  const box = el("input", { type: "checkbox", value: String(number) });
  box.checked = number < 4;
  box.addEventListener("change", draw);
  return el("label", { class: "choice" }, box, name);
}));
options(byId("reference"), [["all", "any other"], ["none", "none"]]);
byId("reference").addEventListener("change", () => markDifferences(passages, byId("reference").value));
byId("text").addEventListener("input", () => { byId("drop-note").textContent = note; content = new TextEncoder().encode(byId("text").value); draw(); });
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, async (event) => {
    event.preventDefault();
    byId("text").classList.toggle("drop", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) take(await event.dataTransfer.files[0].arrayBuffer());
  });
}
function take(buffer) {
  const bytes = new Uint8Array(buffer);
  let end = Math.min(bytes.length, SHOWN_BYTES);
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80 && end > SHOWN_BYTES - 4) end--; // not inside a character
  content = bytes.subarray(0, end);
  byId("drop-note").textContent = end === bytes.length ? note
    : `Only the first ${end.toLocaleString("en")} of ${bytes.length.toLocaleString("en")} bytes of that file are shown.`;
  byId("text").value = isBinary(content) ? "" : new TextDecoder().decode(content);
  draw();
}
