/** House rules that the linter has no rule for. Each failure names the file and the line. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const CORE = ["base", "domain", "rules", "intake", "screen", "workshop"].map((layer) => `src/${layer}/`);
const MAX_FILE_LINES = 400;
const MAX_LINE_COLUMNS = 120;
const MAX_FILE_BYTES = 1024 * 1024;

/** What is tracked or would be: everything that .gitignore does not name. */
const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT })
  .toString("utf8")
  .split("\0")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));
const sources = files.filter((file) => file.startsWith("src/") && file.endsWith(".ts"));
const coreSources = sources.filter((file) => CORE.some((folder) => file.startsWith(folder)));
const tests = files.filter((file) => file.startsWith("test/") && file.endsWith(".ts"));
const documents = files.filter((file) => file.endsWith(".md"));
const texts = files.filter((file) => /\.(ts|js|mjs|json|ya?ml|md|lua|sh)$|^(Dockerfile|\.ci\/run)$/.test(file));

describe("source", () => {
  it("exists, so that the checks below check something", () => {
    expect(coreSources.length).toBeGreaterThan(10);
    expect(tests.length).toBeGreaterThan(5);
  });

  it.each([
    ["clock", /\bDate\.now\b|\bperformance\.now\b|\bnew Date\(\s*\)/],
    ["randomness", /\bMath\.random\b|\brandom(UUID|Bytes|Int)\b/],
    ["await", /\bawait\b/],
    ["process and no timer", /\bprocess\.|\bset(Timeout|Interval|Immediate)\b/],
    ["mutable state in a module", /^(export )?let\b/m],
  ])("of the core has no %s", (_what, pattern) => {
    expect(findIn(coreSources, pattern, codeOf)).toEqual([]);
  });

  it("makes no code from text", () => {
    expect(findIn(sources, /\beval\s*\(|\bnew Function\b|\bFunction\s*\(/, codeOf)).toEqual([]);
  });

  it("reads no amount as a floating point number", () => {
    const readers = sources.filter((file) => /^src\/(domain|intake)\//.test(file));
    expect(findIn(readers, /\bparseFloat\b/, codeOf)).toEqual([]);
  });

  it(`has files of at most ${MAX_FILE_LINES} lines`, () => {
    const long = sources.map((file) => [file, lines(textOf(file)).length] as const);
    expect(long.filter(([, count]) => count > MAX_FILE_LINES)).toEqual([]);
  });

  it(`has lines of at most ${MAX_LINE_COLUMNS} columns`, () => {
    const code = files.filter((file) => /^(src|scripts|bench|bin)\/.*\.(ts|js|mjs)$/.test(file));
    expect(findIn(code, new RegExp(`^.{${MAX_LINE_COLUMNS + 1},}$`))).toEqual([]);
  });
});

describe("tests", () => {
  it("all run", () => {
    expect(findIn(tests, /\b(it|test|describe)\.(only|skip|todo)\b/)).toEqual([]);
  });
});

describe("documents", () => {
  it("have one title each", () => {
    const titles = documents.map((file) => [file, headings(file).filter(({ level }) => level === 1).length] as const);
    expect(titles.filter(([, count]) => count !== 1)).toEqual([]);
  });

  it("link to what there is", () => {
    expect(documents.flatMap(deadLinks)).toEqual([]);
  });
});

describe("repository", () => {
  it(`has no file over ${MAX_FILE_BYTES} bytes`, () => {
    expect(files.filter((file) => statSync(join(ROOT, file)).size > MAX_FILE_BYTES)).toEqual([]);
  });

  it("leaves nothing for later without an issue", () => {
    expect(findIn([...sources, ...tests], /\b(TODO|FIXME|HACK)\b/)).toEqual(findsOfThisFile("TODO|FIXME|HACK"));
  });

  it("names no path of the machine it was made on", () => {
    // Put together here, so that this file does not name them either.
    const paths = ["work", "farm"].map((name) => `/${name}/`);
    const pattern = new RegExp(`(?<![\\w.*~-])(${paths.join("|")})`);
    expect(findIn(texts, pattern)).toEqual([]);
  });
});

/** `file:line: text` of each line that matches. */
function findIn(where: readonly string[], pattern: RegExp, read = textOf): string[] {
  return where.flatMap((file) =>
    lines(read(file)).flatMap((line, index) =>
      pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 100)}`] : [],
    ),
  );
}

/** The lines of this file that name the words that it looks for. */
function findsOfThisFile(words: string): string[] {
  return findIn(["test/tidy.test.ts"], new RegExp(`\\b(${words})\\b`));
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The text of a TypeScript file with comments and plain strings blanked out, line by line as it was. */
function codeOf(file: string): string {
  const pattern = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"/g;
  return textOf(file).replace(pattern, (match) => (match.startsWith('"') ? '""' : match.replace(/[^\n]/g, " ")));
}

function lines(text: string): string[] {
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** A Markdown file without its code blocks. */
function proseOf(file: string): string {
  return textOf(file).replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
}

function headings(file: string): { level: number; slug: string }[] {
  return [...proseOf(file).matchAll(/^(#{1,6}) +(.+)$/gm)].map(([, marks = "", title = ""]) => ({
    level: marks.length,
    slug: title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  }));
}

function deadLinks(file: string): string[] {
  const targets = [...proseOf(file).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map((match) => match[1] ?? "");
  return targets.flatMap((target) => {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const place = path === "" ? file : join(dirname(file), decodeURIComponent(path));
    if (!existsSync(join(ROOT, place))) return [`${file}: ${target} (no such file)`];
    const known = anchor === undefined || !place.endsWith(".md") || headings(place).some(({ slug }) => slug === anchor);
    return known ? [] : [`${file}: ${target} (no such heading)`];
  });
}
