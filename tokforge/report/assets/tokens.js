"use strict";
// Tokens as coloured text. Everything reaches the page through textContent: no markup is ever parsed.

const el = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
};
const byId = (id) => document.getElementById(id);
const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// Controls, formats (the bidirectional ones among them), separators, private and unassigned: never drawn raw.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u;
const GLYPHS = { " ": "·", "\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽", "\u3000": "□" };

function pieces(bytes) {
  let text;
  try { text = strict.decode(bytes); } catch { return [["glyph", Array.from(bytes, (b) => "\\x" + b.toString(16).padStart(2, "0")).join("")]]; }
  return Array.from(text, (char) => {
    if (GLYPHS[char]) return ["glyph", GLYPHS[char] + (char === "\n" ? "\n" : "")];
    return HIDDEN.test(char) ? ["glyph", "\\u{" + char.codePointAt(0).toString(16) + "}"] : ["", char];
  });
}
const plain = (bytes) => pieces(bytes).map(([, text]) => text).join("").trimEnd();

function fill(node, found) {
  let run = "";
  const flush = () => { if (run) node.append(run); run = ""; };
  for (const [kind, text] of found) {
    if (text === GLYPHS[" "]) { flush(); node.append(el("wbr")); } // the mark of a space gives no place to break
    if (kind) { flush(); node.append(el("span", { class: kind }, text)); } else run += text;
  }
  flush();
}
// Knuth's multiplicative hash: a token has one colour everywhere, and neighbours in id differ.
const colour = (id) => "k" + (Math.imul(id, 2654435761) >>> 29);

/** One tokenizer's view of `bytes`: draws, moves with the arrow keys, and reports the token it is on. */
class Passage {
  constructor({ bytes, ids, starts, binary, sections, label, onSelect, base = 0, changed = false }) {
    Object.assign(this, { bytes, ids, starts, onSelect, at: -1, base, changed }); // changed: not the bytes of the text
    this.nodes = ids.map(() => []);
    this.root = el("div", { class: binary ? "hex" : "tokens", tabindex: "0", role: "group", "aria-label": label, dir: binary ? "ltr" : "auto" });
    if (binary) this.drawHex(sections || []); else this.drawText();
    this.root.addEventListener("mouseover", (event) => this.pick(event.target));
    this.root.addEventListener("click", (event) => this.pick(event.target));
    this.root.addEventListener("keydown", (event) => this.move(event));
  }
  end(at) { return at + 1 < this.starts.length ? this.starts[at + 1] : this.bytes.length; }
  part(at) { return this.bytes.subarray(this.starts[at], this.end(at)); }
  mark(at, ...children) {
    const node = el("i", { class: colour(this.ids[at]), "data-at": String(at) }, ...children);
    this.nodes[at].push(node);
    return node;
  }
  drawText() {
    const all = document.createDocumentFragment();
    const known = new Map(); // an id stands for the same bytes wherever it occurs
    this.ids.forEach((id, at) => {
      if (!known.has(id)) known.set(id, pieces(this.part(at)));
      const node = this.mark(at);
      fill(node, known.get(id));
      all.append(node);
    });
    this.root.append(all);
  }
  drawHex(sections) {
    const owner = new Int32Array(this.bytes.length).fill(-1);
    this.starts.forEach((start, at) => owner.fill(at, start, this.end(at)));
    for (let line = 0; line < this.bytes.length; line += 16) {
      for (const [name, start] of sections) if (start < 0 ? line === 0 : start >= line && start < line + 16) this.root.append(el("span", { class: "where" }, `${name} ${start < 0 ? "began" : "begins"} at ${(this.base + start).toString(16)}\n`));
      const row = el("div", {}, el("span", { class: "at" }, (this.base + line).toString(16).padStart(6, "0") + "  "));
      const end = Math.min(line + 16, this.bytes.length);
      for (const text of [(byte) => byte.toString(16).padStart(2, "0") + " ", (byte) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : "·")]) {
        for (let at = line; at < end;) {
          let next = at + 1;
          while (next < end && owner[next] === owner[at]) next++;
          row.append(this.mark(owner[at], Array.from(this.bytes.subarray(at, next), text).join("")));
          at = next;
        }
        row.append(" ".repeat(3 * (16 - (end - line)) + 1));
      }
      this.root.append(row);
    }
  }
  pick(target) {
    const node = target.closest("[data-at]");
    if (node) this.select(Number(node.dataset.at), true);
  }
  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    event.preventDefault();
    this.select(Math.max(0, Math.min(this.ids.length - 1, this.at + step)), true);
    this.nodes[this.at][0].scrollIntoView({ block: "nearest" });
  }
  clear() { for (const node of this.root.querySelectorAll(".here")) node.classList.remove("here"); }
  select(at, tell) {
    this.clear();
    this.at = at;
    for (const node of this.nodes[at] || []) node.classList.add("here");
    if (tell) this.onSelect(this, at);
  }
  /** Highlights the tokens that hold any byte of start..end: the same place as another tokenizer cuts it. */
  follow(one, start, end) {
    this.clear();
    if (this.changed || one.changed) return;
    this.starts.forEach((from, at) => { if (from < end && this.end(at) > start) for (const node of this.nodes[at]) node.classList.add("here"); });
  }
  /** Underlines the tokens whose span is not among `spans`. */
  differ(spans) {
    this.ids.forEach((_, at) => { for (const node of this.nodes[at]) node.classList.toggle("differs", spans !== null && !spans.has(this.starts[at] + ":" + this.end(at))); });
  }
  spans() { return new Set(this.starts.map((start, at) => start + ":" + this.end(at))); }
}

function describe(name, passage, at) {
  const part = passage.part(at);
  const from = passage.starts[at];
  return `${name}: id ${passage.ids[at]}, ${part.length} byte${part.length === 1 ? "" : "s"} at ${passage.base + from}: ${hex(part.subarray(0, 48))}  “${plain(part)}”`;
}
// Only cuts of the same bytes are compared: where normalisation moves bytes, places say nothing.
function markDifferences(passages, reference) {
  const spans = passages.map((passage) => passage.spans());
  passages.forEach((passage, number) => {
    const others = spans.filter((_, other) => !passages[other].changed && (reference === "all" ? other !== number : String(other) === reference));
    if (passage.changed || !others.length) return passage.differ(null);
    passage.differ(new Set([...spans[number]].filter((span) => others.every((one) => one.has(span)))));
  });
}
function options(select, entries) { select.replaceChildren(...entries.map(([value, text]) => el("option", { value }, text))); }
function frame() { // the links to the sections, and the switch between light and dark
  for (const heading of document.querySelectorAll("section > h2")) {
    byId("contents").append(el("a", { href: "#" + heading.parentElement.id }, heading.textContent));
  }
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
}
