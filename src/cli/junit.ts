/** Results of inline tests as JUnit XML, which build servers show: one suite a rule, one case a test. */
import { resultsByRule, type TestResult } from "../workshop/test-runner.ts";
import { printable } from "./output.ts";

/** The whole document. Times are left out: they would make two equal runs differ. */
export function junitXml(results: readonly TestResult[]): string {
  const suites = [...resultsByRule(results)].map(([ruleId, own]) => suite(ruleId, own));
  const counts = countsOf(results);
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="palermo rules" ${counts}>\n`;
  return `${head}${suites.join("")}</testsuites>\n`;
}

function suite(ruleId: string, results: readonly TestResult[]): string {
  const cases = results.map((result) => testCase(result)).join("");
  return `  <testsuite name="${escaped(ruleId)}" ${countsOf(results)}>\n${cases}  </testsuite>\n`;
}

function testCase(result: TestResult): string {
  const { ruleId, name, file, line, problems } = result;
  const place = `classname="${escaped(ruleId)}" name="${escaped(name)}" file="${escaped(file)}" line="${line}"`;
  if (problems.length === 0) return `    <testcase ${place}/>\n`;
  const [first = "", ...rest] = problems;
  const detail = [`${file}:${line}`, first, ...rest].map(escaped).join("\n");
  return `    <testcase ${place}>\n      <failure message="${escaped(first)}">${detail}</failure>\n    </testcase>\n`;
}

function countsOf(results: readonly TestResult[]): string {
  const failures = results.filter(({ problems }) => problems.length > 0).length;
  return `tests="${results.length}" failures="${failures}" errors="0"`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text for XML; control characters, which it cannot hold even escaped, become spaces. */
function escaped(text: string): string {
  return printable(text).replace(/[&<>"]/g, (c) => ENTITIES[c] ?? c);
}
