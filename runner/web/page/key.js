/** The key of whoever uses the page. Its field is there once the server wants one; this tab keeps it, no link has it. */

import { byId } from "./dom.js";

const KEPT = "key";
const row = byId("key-row", HTMLElement);
const field = byId("key", HTMLInputElement);

/** What a header can carry; a copied key may have brought more along. */
function key() {
  return row.hidden ? "" : field.value.replace(/[^!-~]/g, "");
}

/** For POST /run. @returns {Record<string, string>} */
export function headers() {
  return key() ? { Authorization: `Bearer ${key()}` } : {};
}

/** For the first message of a live run: a browser's WebSocket has no headers. @returns {{key?: string}} */
export function message() {
  return key() ? { key: key() } : {};
}

/** The server wants one. */
export function show() {
  if (!row.hidden) return;
  row.hidden = false;
  try {
    field.value = sessionStorage.getItem(KEPT) ?? "";
  } catch {
    // storage is switched off
  }
}

/** It does not know the one that it got, or got none. */
export function ask() {
  show();
  field.select();
  field.focus();
}

field.onchange = () => {
  try {
    sessionStorage.setItem(KEPT, key());
  } catch {
    // storage is full or switched off: then a reload asks anew
  }
};
