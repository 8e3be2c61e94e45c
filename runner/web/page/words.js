/** How a program ended, in words. */

/** @typedef {{exit_code: number|null, signal: string|null}} Result */
/** @typedef {{wall: number, cpu: number, compile: number, total: number, output: number, memory: string,
 *   pids: string, tmp: string, shm: string, results: string}} Limits */

/** One entry for every reason of runner/runs/result.py; a test compares. @type {Record<string, (r: Result, l: Limits) => string>} */
export const REASONS = {
  completed: () => "Finished",
  exit_code: (result) => `Ended with exit code ${result.exit_code}`,
  signal: (result) => `Killed by ${result.signal}: ${SIGNALS[result.signal ?? ""] ?? "a signal that ends a program"}`,
  wall_time: (_, limits) => `Stopped after ${seconds(limits.wall)}, the time limit`,
  cpu_time: (_, limits) => `Stopped after computing for ${seconds(limits.cpu)}, the limit of CPU time`,
  total_time: (_, limits) => `Stopped: all runs together took longer than ${seconds(limits.total)}`,
  out_of_memory: (_, limits) => `Used more than ${limits.memory} of memory`,
  output_limit: (_, limits) => `Wrote more than ${bytes(limits.output)} and was stopped`,
  compile_error: () => "It does not compile: the compiler says why",
  compile_timeout: (_, limits) => `Compiling took longer than ${seconds(limits.compile)} and was stopped`,
  compile_out_of_memory: (_, limits) => `Compiling took more than ${limits.memory} of memory`,
  no_verdict: () => "It brought its own container down, so nobody saw how it ended",
};

/** In the line; 0 is no place in it yet. @param {number} place @param {number|null} forecast in seconds */
export function waiting(place, forecast) {
  const where = place ? `Waiting: place ${place} in the line` : "Waiting: the line is full";
  return forecast === null ? where : `${where}, about ${seconds(Math.max(1, Math.round(forecast)))}`;
}

/** One entry for each of the limits that a result can name in `reached`. @type {Record<string, (l: Limits) => string>} */
export const REACHED = {
  pids: (limits) => `It could not start more processes or threads: ${limits.pids} is the limit.`,
  memory: (limits) => `It could not get more memory: ${limits.memory} is the limit.`,
  tmpfs: (limits) => `It could not write more into /tmp: ${limits.tmp} is the limit.`,
  shm: (limits) => `It could not write more into /dev/shm: ${limits.shm} is the limit.`,
  results: (limits) => `It left more results than are sent back: ${limits.results} is the limit.`,
};

/** What a signal means to the person whose program it ended. @type {Record<string, string>} */
const SIGNALS = {
  SIGABRT: "it gave up by itself, as after a failed assertion or an exception that nobody caught",
  SIGALRM: "its own alarm clock rang",
  SIGBUS: "it touched memory that is not there",
  SIGFPE: "it computed something impossible, such as a division by zero",
  SIGHUP: "its terminal went away",
  SIGILL: "it came to an instruction that the processor does not know",
  SIGINT: "it was interrupted",
  SIGKILL: "it was ended at once, from outside or by itself",
  SIGPIPE: "it wrote to a pipe that nobody reads",
  SIGQUIT: "it was told to quit",
  SIGSEGV: "it touched memory that is not its own",
  SIGSYS: "it asked the kernel for something that is forbidden here",
  SIGTERM: "it was told to end",
  SIGTRAP: "it came to a breakpoint, or checked itself and failed",
  SIGXCPU: "it used more CPU time than it set itself",
  SIGXFSZ: "it wrote a file that is larger than allowed",
};

/** @param {Result & {reason: string}} result @param {Limits} limits */
export function ending(result, limits) {
  const words = REASONS[result.reason];
  return words ? words(result, limits) : `Ended: ${result.reason}`;
}

/** The limits that it came to on its way, one sentence each; the one that ended it has been told.
 * @param {{reason: string, reached?: string[]}} result @param {Limits} limits */
export function reached({ reason, reached: names = [] }, limits) {
  const told = reason === "out_of_memory" ? "memory" : "";
  return names.filter((name) => name !== told && name in REACHED).map((name) => REACHED[name](limits));
}

/** Those of the language and of the command. @param {Record<string, number>} limits @param {string[]} command
 * @param {number} wall @returns {Limits} */
export function limitsOf(limits, command, wall) {
  const flag = (/** @type {string} */ start) => command.find((word) => word.startsWith(start))?.slice(start.length);
  const space = (/** @type {string} */ path) => {
    const { size = "", files = "" } = flag(`--tmpfs=${path}:`)?.match(/size=(?<size>\w+).*nr_inodes=(?<files>\d+)/)?.groups ?? {};
    return size ? `${sized(size)} in ${files} files` : "its size";
  };
  return {
    wall, cpu: limits.cpu_time ?? limits.wall_time, compile: limits.compile_time, total: limits.total_time,
    output: limits.output, memory: memoryOf(command) ?? "its share", pids: flag("--pids-limit=") ?? "their number",
    tmp: space("/tmp"), shm: space("/dev/shm"),
    results: `${limits.result_files} files of ${bytes(limits.result_bytes)} together`,
  };
}

/** @param {number} value */
export function seconds(value) {
  if (value < 0.001) return `${number(value * 1e6)} µs`;
  return value < 1 ? `${number(value * 1000)} ms` : `${number(value)} s`;
}

/** @param {number} value */
export function bytes(value) {
  if (value < 1024) return value === 1 ? "1 byte" : `${value} bytes`;
  return value < 1024 ** 2 ? `${number(value / 1024)} KB` : `${number(value / 1024 ** 2)} MB`;
}

/** The memory that a docker command grants. @param {string[]} command */
export function memoryOf(command) {
  const flag = "--memory=";
  const value = command.find((word) => word.startsWith(flag))?.slice(flag.length);
  return value && sized(value);
}

/** 256m as 256 MB. @param {string} value */
function sized(value) {
  return value.replace(/^(\d+)([bkmg]?)$/i, (_, digits, unit) => {
    return `${digits} ${{ k: "KB", m: "MB", g: "GB" }[/** @type {string} */ (unit).toLowerCase()] ?? "bytes"}`;
  });
}

/** Three digits are enough. @param {number} value */
function number(value) {
  return String(value < 100 ? Number(value.toPrecision(3)) : Math.round(value));
}
