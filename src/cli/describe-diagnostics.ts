/** Findings about files as text: each with its line of the file where that can be read, then a count. */
import { readFileSync } from "node:fs";
import type { Diagnostic } from "../base/errors.ts";
import { formatDiagnostic } from "../rules/diagnostics.ts";
import { counted } from "./output.ts";

/** Lays findings out for a person, with a line end after each line. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[], color: boolean): string {
  const texts = new Map<string, string>();
  for (const { file } of diagnostics) {
    if (!texts.has(file)) texts.set(file, textOf(file));
  }
  for (const [file, text] of texts) if (text === "") texts.delete(file);
  const errors = diagnostics.filter((finding) => finding.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const counts = [
    ...(errors > 0 ? [counted(errors, "error")] : []),
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
  ];
  const lines = diagnostics.map((finding) => formatDiagnostic(finding, texts, color));
  return `${lines.join("\n")}\n${counts.join(", ")}\n`;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
