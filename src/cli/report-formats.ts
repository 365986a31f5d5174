/** Findings in the forms that other tools read: SARIF 2.1.0 for code scanning, workflow commands for GitHub. */
import { isAbsolute, relative, sep } from "node:path";
import type { Diagnostic } from "../base/errors.ts";
import { DIAGNOSTICS } from "../rules/diagnostics.ts";

const SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

/**
 * A SARIF log of one run. `root` is the folder that paths are told relative to; findings that belong to no file,
 * such as options of the command line, have no location.
 */
export function sarifReport(diagnostics: readonly Diagnostic[], version: string, root: string): string {
  const codes = Object.keys(DIAGNOSTICS) as (keyof typeof DIAGNOSTICS)[];
  const rules = codes.map((id) => ({
    id,
    shortDescription: { text: DIAGNOSTICS[id] },
    defaultConfiguration: { level: id.startsWith("E") ? "error" : "warning" },
  }));
  const results = diagnostics.map((finding) => {
    const ruleIndex = (codes as readonly string[]).indexOf(finding.code);
    const path = pathOf(finding, root);
    return {
      ruleId: finding.code,
      ...(ruleIndex === -1 ? {} : { ruleIndex }),
      level: finding.severity,
      message: { text: messageOf(finding) },
      ...(path === undefined ? {} : { locations: [locationOf(finding, path)] }),
    };
  });
  const driver = { name: "palermo", version, rules };
  const log = {
    $schema: SARIF_SCHEMA,
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function locationOf(finding: Diagnostic, path: string): object {
  const uri = path.split("/").map(encodeURIComponent).join("/");
  const region = { startLine: finding.line, startColumn: finding.column };
  return { physicalLocation: { artifactLocation: { uri, uriBaseId: "%SRCROOT%" }, region } };
}

/** Workflow commands of GitHub Actions, one a finding: each becomes an annotation on its line. */
export function githubReport(diagnostics: readonly Diagnostic[], root: string): string {
  const lines = diagnostics.map((finding) => {
    const path = pathOf(finding, root);
    const place = path === undefined ? [] : [`file=${property(path)}`, `line=${finding.line}`, `col=${finding.column}`];
    const properties = [...place, `title=${property(`palermo ${finding.code}`)}`].join(",");
    return `::${finding.severity} ${properties}::${escaped(messageOf(finding))}\n`;
  });
  return lines.join("");
}

function messageOf(finding: Diagnostic): string {
  return finding.hint === undefined ? finding.message : `${finding.message} (hint: ${finding.hint})`;
}

/** The file with forward slashes, relative to `root` where it lies below; undefined for what is no file. */
function pathOf(finding: Diagnostic, root: string): string | undefined {
  if (finding.file === "" || finding.file.startsWith("--")) return undefined;
  const path = isAbsolute(finding.file) ? relative(root, finding.file) : finding.file;
  return path.split(sep).join("/");
}

/** A message of a workflow command: line ends would begin another command. */
function escaped(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function property(text: string): string {
  return escaped(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
