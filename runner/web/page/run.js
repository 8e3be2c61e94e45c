/** Runs a program on the server and hands on what it does, event by event. */

import * as key from "./key.js";

/** @typedef {{language: string, code: string, input: string, args?: string[],
 *   files?: Record<string, import("./files.js").Content>}} Job */
/** @typedef {import("./terminal.js").Size} Size */
/** @typedef {(event: string, data: any) => void} Listener */
/** A run that can be typed into and stopped. @typedef {{type: (text: string) => void, resize: (size: Size) => void,
 *   stop: () => void, ended: Promise<void>}} Run */

/** The input ends after its text: POST /run, its events as they come. @param {Job} job @param {Listener} tell @returns {Run} */
export function runClosed(job, tell) {
  const stopping = new AbortController();
  return { type() {}, resize() {}, stop: () => stopping.abort(), ended: post(job, tell, stopping.signal) };
}

/** @param {Job} job @param {Listener} tell @param {AbortSignal} signal */
async function post(job, tell, signal) {
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream", ...key.headers() };
  const answer = await fetch("/run", { method: "POST", headers, body: JSON.stringify(job), signal });
  if (!answer.ok || !answer.body) return tell("problem", await problemOf(answer));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const blocks = (kept + next.value).split(/\r?\n\r?\n/);
    kept = blocks.pop() ?? "";
    for (const block of blocks) tellBlock(block, tell);
  }
}

/** One event of the stream; comments, which keep a connection awake, tell nothing. @param {string} block @param {Listener} tell */
function tellBlock(block, tell) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = line.match(/^([a-z]+): ?(.*)$/) ?? [];
    if (name) fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
  }
  if (fields.event && fields.data) tell(fields.event, JSON.parse(fields.data));
}

/** What a refusal says; a proxy's answer may say nothing. @param {Response} answer */
async function problemOf(answer) {
  const said = await answer.json().catch(() => ({}));
  return { title: `The server answered ${answer.status}`, detail: answer.statusText, ...said };
}

/** In a terminal of that size: a WebSocket. Closing it stops the program.
 * @param {Job & {size: Size}} job @param {Listener} tell @returns {Run} */
export function runOpen(job, tell) {
  const address = new URL("/run/live", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  const send = (/** @type {object} */ message) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  socket.onopen = () => send({ ...job, ...key.message() });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    tell(message.event, message.data);
  };
  const ended = new Promise((resolve) => (socket.onclose = () => resolve(undefined)));
  return { type: (input) => send({ input }), resize: (size) => send({ size }), stop: () => socket.close(), ended };
}
