/** The written contract: its examples run, its reference is that of the tables. `-u` writes the reference again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FIELDS } from "../../src/rules/fields.ts";
import { FUNCTIONS, SCOPED_FUNCTIONS } from "../../src/rules/functions.ts";
import { loadPack, type SourceFile } from "../../src/rules/load.ts";
import { AGGREGATE_WORDS, PAST_WORDS } from "../../src/rules/schema-aggregates.ts";
import { runInlineTests } from "../../src/workshop/test-runner.ts";
import { LISTS } from "./build.ts";

const PATH = join(import.meta.dirname, "../../rules/LANGUAGE.md");
const text = readFileSync(PATH, "utf8");

/** Whole files in the text, those of base lines measured for the rules beside them. */
function examples(): SourceFile[] {
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  const files = blocks.map((block) => {
    const id = /^id: (\S+)$/m.exec(block)?.[1] ?? "";
    return { path: `rules/examples/${id}.yaml`, text: block };
  });
  const { pack } = loadPack([...LISTS, ...files]);
  const definition = pack?.peers[0]?.definition ?? "no peers";
  return files.map((file) => ({ ...file, text: file.text.replace('"00000000"', `"${definition}"`) }));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function fieldTable(): string {
  const rows = [...FIELDS.values()].map((field) => {
    const type = field.type.name === "text" ? field.type.domain : field.type.name;
    const notes = [
      field.neutral ? "no evidence" : "",
      field.customer ? "only lowers" : "",
      field.childOnly ? "child" : "",
    ];
    const marked = [field.class, ...notes.filter((note) => note !== "")].join(", ");
    return [`\`${field.name}\``, type.replaceAll("_", " "), marked, field.doc];
  });
  return table(["field", "type", "class", "what it is"], rows);
}

function functionTable(): string {
  const all = [...FUNCTIONS.values(), ...SCOPED_FUNCTIONS];
  return table(
    ["function", "what it says"],
    all.map(({ signature, doc }) => [`\`${signature}\``, doc]),
  );
}

function withReference(): string {
  return text
    .replace(/(<!-- fields -->\n)[\s\S]*?(<!-- \/fields -->)/, (_, a, b) => `${a}\n${fieldTable()}\n\n${b}`)
    .replace(/(<!-- functions -->\n)[\s\S]*?(<!-- \/functions -->)/, (_, a, b) => `${a}\n${functionTable()}\n\n${b}`);
}

describe("rules/LANGUAGE.md", () => {
  const files = examples();
  const run = runInlineTests([...LISTS, ...files]);

  it("has examples without a fault", () => {
    const faults = run.diagnostics.filter((d) => d.code !== "E042" && d.severity === "error");
    expect(faults.map((d) => `${d.file}:${d.line}:${d.column} ${d.code} ${d.message}`)).toEqual([]);
    expect(run.diagnostics.filter((d) => d.code === "W101" || d.code === "W120")).toEqual([]);
    expect(files.length).toBeGreaterThan(6);
  });

  it.each(run.results.map((result) => [`${result.ruleId}: ${result.name}`, result.problems] as const))(
    "%s",
    (_, problems) => {
      expect(problems).toEqual([]);
    },
  );

  it("names every word of an aggregate", () => {
    for (const word of [...AGGREGATE_WORDS, ...PAST_WORDS]) {
      if (word !== "set") expect(text).toContain(`\`${word}`);
    }
  });

  it("has the fields and functions of the tables", async () => {
    await expect(withReference()).toMatchFileSnapshot(PATH);
  });
});
