/** What the scripts share: where things are, how a step is run and shown, and installing and building when needed. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** A step that failed, with what the user can do about it. It is shown without a stack trace. */
export class StepError extends Error {}

/** Writes a line for the user. Standard output belongs to the results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs `main` and ends with its exit code; a StepError becomes a message and exit code 1. */
export async function runScript(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    say(error instanceof StepError ? `\n${error.message}` : String(error?.stack ?? error));
    process.exitCode = 1;
  }
}

/**
 * Runs a command whose output matters only when it fails. Shows what it is for and how long it took, and counts the
 * seconds on a terminal meanwhile. Throws a StepError with the end of the output when it fails.
 */
export async function quietStep(purpose, command, args, options = {}) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  const isTerminal = process.stderr.isTTY === true;
  if (!isTerminal) say(`${purpose} ...`);
  const tick = () => isTerminal && process.stderr.write(`\r${purpose} ... ${seconds()}`);
  tick();
  const timer = setInterval(tick, 1000);
  const { code, output } = await capture(command, args, options);
  clearInterval(timer);
  if (isTerminal) process.stderr.write("\n");
  if (code === 0) return output;
  throw new StepError(`${purpose}: failed (${command} ${args.join(" ")}). It said:\n${output.slice(-6000).trim()}`);
}

/** Runs a command on this terminal and gives its exit code. The signals that end this script reach the command too. */
export async function foreground(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  // Ctrl-C on a terminal has reached the command already; twice would mean more than once.
  const forward = (signal) => void (signal === "SIGINT" && process.stdin.isTTY ? false : child.kill(signal));
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((done, fail) => {
      child.once("error", fail);
      child.once("exit", (code, signal) => done(code ?? (signal === "SIGINT" ? 130 : 1)));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/** True where a command of this name is on the PATH. */
export function hasCommand(name) {
  return (process.env.PATH ?? "").split(delimiter).some((dir) => dir !== "" && existsSync(join(dir, name)));
}

/** Installs the packages when they are missing or older than the lock file. */
export async function ensurePackages() {
  const installed = join(root, "node_modules/.package-lock.json");
  if (existsSync(installed) && modified(installed) >= modified(join(root, "package-lock.json"))) return;
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  await quietStep("Installing packages (npm ci)", "npm", ["ci", ...quiet]);
}

/** Written last by scripts/build.mjs, with the time at which the build began. */
export const buildMarker = join(root, "dist/.built");

/** Compiles src to dist when anything in src is newer. */
export async function ensureBuild() {
  const inputs = ["src", "tsconfig.json", "tsconfig.build.json", "package-lock.json"].map((name) => join(root, name));
  if (existsSync(buildMarker) && modified(buildMarker) >= Math.max(...inputs.map(newest))) return;
  await quietStep("Building (npm run build)", process.execPath, [join(root, "scripts/build.mjs")]);
}

/**
 * Installs Debian packages, through sudo where this is not root. Throws a StepError that names the command to run where
 * it cannot.
 */
export async function installDebianPackages(purpose, packages) {
  const manual = `Install it yourself and run this again, on Debian: apt-get install ${packages.join(" ")}`;
  if (!hasCommand("apt-get")) throw new StepError(`${purpose} needs ${packages.join(", ")}. ${manual}`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !hasCommand("sudo")) throw new StepError(`${purpose} needs root to install packages. ${manual}`);
  if (!isRoot && spawnSync("sudo", ["-n", "true"]).status !== 0 && !process.stdin.isTTY) {
    throw new StepError(`${purpose} needs sudo, which asks for a password, and there is no terminal. ${manual}`);
  }
  const apt = (args) => (isRoot ? ["apt-get", args] : ["sudo", ["DEBIAN_FRONTEND=noninteractive", "apt-get", ...args]]);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  try {
    // A fresh machine has no package lists yet, or old ones.
    await quietStep("Reading Debian's package lists", ...apt(["update"]), options);
    await quietStep(`Installing ${packages.join(", ")} (apt-get)`, ...apt(install), options);
  } catch (error) {
    throw new StepError(`${error.message}\n${manual}`);
  }
}

function capture(command, args, options) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ["inherit", "pipe", "pipe"], ...options });
    let output = "";
    const keep = (bytes) => {
      output = (output + bytes.toString("utf8")).slice(-100_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", (error) => done({ code: 1, output: error.message }));
    child.once("close", (code) => done({ code: code ?? 1, output }));
  });
}

function modified(path) {
  return statSync(path).mtimeMs;
}

/** Time of the newest file at or below a path. */
function newest(path) {
  if (!statSync(path).isDirectory()) return modified(path);
  const below = readdirSync(path).map((name) => newest(join(path, name)));
  return Math.max(modified(path), ...below);
}
