// What the page's terminal needs of xterm.js, and nothing else.
export { FitAddon } from "@xterm/addon-fit";
export { Unicode11Addon } from "@xterm/addon-unicode11";
export { Terminal } from "@xterm/xterm";
