/** The panel that shows the docker command, word by word: what each flag is for, and whether that was verified. */

import { element } from "./dom.js";

/** @typedef {{line: string, name: string, why: string, without: string, sources: string, verified: string|null}} Flag */
/** @typedef {{language: string, title: string, digest: string, image: string, image_id: string|null,
 *   command: string[], flags: Flag[], waivers: Record<string, string>,
 *   verified: {age: number, proved: number, failed: string[]}|null}} Policy */

/** What the server adds to the lines of the policy. @type {Record<string, string>} */
const ADDED = {
  "--name": "added by the server: a name of its own for each run, by which its container is killed and removed",
  "--label": "added by the server: which server it belongs to, so that the next start removes what was left",
};
/** @type {Record<string, [string, string]>} */
const VERIFIED = {
  proved: ["good", "✓ proved"],
  failed: ["bad", "✗ failed"],
  "not observed": ["quiet", "○ not observed"],
};

/** Where the image stands: the first word after `docker run` that is no flag. @param {string[]} argv */
function imageAt(argv) {
  return argv.findIndex((word, index) => index > 1 && !word.startsWith("--"));
}

/** As a shell takes it; a line breaks between words. @param {HTMLElement} box @param {string[]} argv */
export function showLine(box, argv) {
  box.hidden = !argv.length;
  box.replaceChildren(...argv.flatMap((word) => [element("span", { textContent: quoted(word) }), " "]));
}

/** Word by word, where the server says what each is for. @param {HTMLElement} box @param {string[]} argv @param {Policy|null} policy */
export function showTable(box, argv, policy) {
  if (!policy || !argv.length) return box.replaceChildren();
  const image = imageAt(argv);
  const rows = [
    row(argv.slice(0, 2).join(" "), "", "starts the container"),
    ...argv.slice(2, image).map((word) => flagRow(word, policy)),
    row(argv[image], imageId(policy), "the image"),
    row(shellLine(argv.slice(image + 1)), "", "runs inside: the launcher, and the language's own commands"),
  ];
  const heads = ["Argument", "What it is for", "Verified"].map((textContent) => {
    return element("th", { role: "columnheader", scope: "col", textContent });
  });
  const head = element("thead", {}, element("tr", { role: "row" }, ...heads));
  box.replaceChildren(element("table", { role: "table" }, head, element("tbody", {}, ...rows)));
}

/** @param {string} word @param {Policy} policy */
function flagRow(word, policy) {
  const name = word.split("=")[0];
  const flag = policy.flags.find(({ line }) => line === word) ?? policy.flags.find((other) => other.name === name);
  if (!flag) return row(word, "", ADDED[name] ?? "");
  const waived = policy.waivers[name];
  const without = flag.without && `Without it: ${flag.without}`;
  return row(word, verdict(flag.verified), flag.why, without, waived ? `Waived: ${waived}` : "", flag.sources);
}

/** @param {string} word @param {Node|string} verified @param {string} why @param {string[]} more */
function row(word, verified, why, ...more) {
  const said = more.filter(Boolean).map((text) => element("small", { textContent: text }));
  return element(
    "tr", { role: "row" },
    element("th", { role: "rowheader", scope: "row" }, element("code", { textContent: word })),
    element("td", { role: "cell" }, element("p", { textContent: why }), ...said),
    element("td", { role: "cell" }, verified),
  );
}

/** @param {string|null} verified */
function verdict(verified) {
  const [className, textContent] = VERIFIED[verified ?? ""] ?? ["quiet", "not checked yet"];
  return element("span", { className: `verdict ${className}`, textContent });
}

/** @param {Policy} policy */
function imageId({ image_id: id }) {
  return id ? element("code", { textContent: id.slice(0, 19), title: id }) : "";
}

/** One line above the table: what was verified, and when. @param {Policy|null} policy */
export function verification(policy) {
  if (!policy?.verified) return "";
  const { age, proved, failed } = policy.verified;
  const when = age < 90 ? `${Math.round(age)} s` : age < 5400 ? `${Math.round(age / 60)} min` : `${Math.round(age / 3600)} h`;
  const verdict = failed.length ? `failed: ${failed.join(", ")}` : "none failed";
  return `Verified in a real container ${when} ago: ${proved} proved, ${verdict}.`;
}

/** The command as a shell takes it. @param {string[]} argv */
export function shellLine(argv) {
  return argv.map(quoted).join(" ");
}

/** @param {string} word */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
