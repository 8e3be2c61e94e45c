/** A program as a link: it stands in the part after the #, which a browser keeps to itself. */

import { decode, encode } from "./base64.js";

/** @typedef {{language: string, code: string, input: string, open: boolean, args: string,
 *   files: import("./files.js").Named[]}} Program */

const PREFIX = "#program=";
/** Longer ones are cut by some of the ways by which links travel. */
const LONGEST = 64_000;
/** What a link may unpack to: above the largest code, input and files that the server takes. */
const LARGEST = 4 * 1024 ** 2;
/** Files of a link: above what the server takes. */
const FILES = 256;

/** The fragment of a program, and the names of the files that are not in it: those that are not text, or all, where
 * they would make it too long. null if it is too long without them.
 * @param {Program} program @returns {Promise<{fragment: string, left: string[]}|null>} */
export async function pack(program) {
  const texts = program.files.filter(({ content }) => typeof content === "string");
  for (const files of [texts, []]) {
    const fragment = await packed({ ...program, files });
    const left = program.files.filter((file) => !files.includes(file)).map(({ name }) => name);
    if (fragment) return { fragment, left };
  }
  return null;
}

/** @param {Program} program */
async function packed({ language, code, input, open, args, files }) {
  const texts = files.map(({ name, content }) => [name, content]);
  const text = new Blob([JSON.stringify([language, code, input, open, args, texts])]).stream();
  const data = await new Response(text.pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer();
  const fragment = PREFIX + base64url(new Uint8Array(data));
  return fragment.length > LONGEST ? null : fragment;
}

/** The program of a fragment; null if there is none in it. @param {string} fragment @returns {Promise<Program|null>} */
export async function unpack(fragment) {
  if (!fragment.startsWith(PREFIX)) return null;
  try {
    const packed = new Blob([bytesOf(fragment.slice(PREFIX.length))]).stream();
    const text = await limited(packed.pipeThrough(new DecompressionStream("deflate-raw")));
    return checked(JSON.parse(text));
  } catch {
    return null; // not a link of ours, or a damaged one
  }
}

/** Older links have neither arguments nor files. @param {any} value @returns {Program|null} */
function checked(value) {
  const [language, code, input, open, args = "", texts = []] = value;
  const files = texts.map((/** @type {string[]} */ [name, content]) => ({ name, content }));
  const strings = [language, code, input, args, ...texts.flat()].every((item) => typeof item === "string");
  return strings && files.length <= FILES ? { language, code, input, open: open === true, args, files } : null;
}

/** @param {ReadableStream<Uint8Array>} stream */
async function limited(stream) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, size] = ["", 0];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > LARGEST) throw new RangeError("unpacks to too much");
    text += decoder.decode(next.value, { stream: true });
  }
  return text + decoder.decode();
}

/** @param {Uint8Array} data */
function base64url(data) {
  return encode(data).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
function bytesOf(text) {
  return decode(text.replaceAll("-", "+").replaceAll("_", "/"));
}
