/**
 * The catalogue of findings about rule and list files, the collector that every stage of reading writes
 * to, and their two printed forms. Codes are stable: E stops a pack, W does not.
 */
import type { Diagnostic } from "../base/errors.ts";
import { lineAndColumn, type Place, placeOffset } from "./source.ts";

/** One line for each code; the reference is generated from it. */
export const DIAGNOSTICS = {
  E001: "The file is not readable YAML.",
  E002: "A key stands twice in one mapping.",
  E003: "Anchors, aliases, tags and merge keys are not part of the rule format.",
  E004: "The file is larger, deeper or has more nodes than any rule needs.",
  E005: "A file holds exactly one mapping.",
  E010: "A key that the format does not have.",
  E011: "A key that must be there is missing.",
  E012: "A value of the wrong kind.",
  E013: "A value that is not in its closed set.",
  E014: "A name that is not allowed.",
  E015: "Too many entries, or a text that is too long.",
  E016: "A literal that cannot be read.",
  E017: "A value outside its range.",
  E020: "An expression that cannot be parsed.",
  E021: "A name that does not exist.",
  E022: "Units or types that do not go together.",
  E023: "An operator that is not allowed here.",
  E024: "A function called with the wrong arguments.",
  E025: "A function that does not exist.",
  E026: "A protected attribute: Palermo has no such field, on purpose.",
  E027: "An expression of the wrong type for its place.",
  E028: "A text that its field can never hold.",
  E029: "A list of the wrong type for the value looked up in it.",
  E030: "An expression that is too long, too deep or has too many parts.",
  E031: "A name that is not available in this place.",
  E032: "A definition that depends on itself.",
  E040: "The file name is not the id.",
  E041: "An id that another file has already.",
  E042: "A cited document that is not in the list of public sources.",
  E043: "A rule that may act has no cautions or no sources.",
  E044: "A word that judges people in a text that reaches an alert.",
  E045: "A rule that holds by geography alone.",
  E046: "A rule or score that rests on being a non-profit organisation or on its merchant category.",
  E047: "A hit input that names no rule.",
  E048: "Rules that count each other's hits in a circle.",
  E049: "A typology that one family can open without saying why that is enough.",
  E050: "A window that is not allowed.",
  E051: "A condition that can never hold.",
  E052: "A word of the customer profile that raises a score; it may only lower one or set a threshold.",
  E060: "A list that does not exist.",
  E061: "A list entry that its type does not allow.",
  E062: "A list of identifiers without a legal basis.",
  E063: "A list that has expired.",
  E064: "A file of base lines of peers that cannot be used.",
  E070: "An override that names no parameter or does not fit it.",
  E080: "A rule is active without the approval of a second person, or under one that is not for it.",
  E081: "A retired rule does not say why, or a reason stands at a rule that is not retired.",
  E082: "An active rule lacks an inline test of one of the three kinds.",
  E083: "A rule and the lock differ: it changed without a new version, or the lock was not written.",
  E084: "An id that was retired is used again, or a rule that is in force has lost its file.",
  E090: "An override of the tuning that names nothing, fits nothing, or changes what another one changes.",
  E091: "An override of the tuning without a second person, or without a name or reason.",
  E092: "An override of the tuning that has expired.",
  W101: "A rule lacks an inline test of one of the three kinds.",
  W102: "A definition that nothing uses.",
  W103: "A list whose review is overdue.",
  W104: "A hit input names a rule that is not in force.",
  W105: "A folder of rules without a lock.",
  W106: "An override of the tuning that has expired and is left out.",
  W107: "A condition that always holds, or that another one implies.",
  W108: "A value within the range of a parameter that leaves a clause no choice.",
  W109: "Two definitions or clauses that say the same.",
  W110: "A severity that no alert can have.",
  W120: "A peer value that no file of base lines gives, or gives for another meaning of its number.",
} as const;

export type DiagnosticCode = keyof typeof DIAGNOSTICS;

/** Findings beyond this are counted, not kept: a hostile file must not fill memory. */
const FINDINGS_MAX = 500;

/** Collects findings; one instance for a load. */
export interface Findings {
  /** Records a finding at a place of a file; `offset` counts characters of a scalar's value. */
  add(code: DiagnosticCode, place: Place, message: string, hint?: string, offset?: number): void;
  /** Records a finding that belongs to no file, such as an override on the command line. */
  addPlain(code: DiagnosticCode, file: string, message: string, hint?: string): void;
  /** Errors so far. */
  readonly errors: number;
  /** Sorted by file, line, column, code; equal ones once. */
  list(): Diagnostic[];
}

/** An empty collector. */
export function createFindings(): Findings {
  const kept: Diagnostic[] = [];
  let errors = 0;
  const push = (code: DiagnosticCode, at: Omit<Diagnostic, "code" | "severity">): void => {
    const severity = code.startsWith("E") ? "error" : "warning";
    if (severity === "error") errors += 1;
    if (kept.length < FINDINGS_MAX) kept.push({ code, severity, ...at });
  };
  return {
    add(code, place, message, hint, offset = 0) {
      const at = lineAndColumn(place.source, placeOffset(place, offset));
      const base = { file: place.source.file, line: at.line, column: at.column, message };
      push(code, hint === undefined ? base : { ...base, hint });
    },
    addPlain(code, file, message, hint) {
      const base = { file, line: 1, column: 1, message };
      push(code, hint === undefined ? base : { ...base, hint });
    },
    get errors() {
      return errors;
    },
    list() {
      return sortDiagnostics(kept);
    },
  };
}

/** Sorted by file, line, column, code and message, equal ones once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sorted = [...diagnostics].sort(
    (a, b) =>
      compareText(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      compareText(a.code, b.code) ||
      compareText(a.message, b.message),
  );
  const told = new Set<string>();
  return sorted.filter((d) => {
    const key = `${d.file}:${d.line}:${d.column} ${d.message}`;
    return !told.has(key) && told.add(key);
  });
}

/**
 * Human form: `file:line:column: error E014: message`, the source line with a caret, the hint.
 * `texts` gives the text of each file by its path; a file without text gets no frame.
 */
export function formatDiagnostic(d: Diagnostic, texts: ReadonlyMap<string, string>, color: boolean): string {
  const paint = (codes: string, text: string): string => (color ? `\u001b[${codes}m${text}\u001b[0m` : text);
  const tone = d.severity === "error" ? "31" : "33";
  const out = [
    `${paint("1", `${d.file}:${d.line}:${d.column}:`)} ${paint(tone, `${d.severity} ${d.code}`)}: ${d.message}`,
  ];
  const line = texts.get(d.file)?.split("\n", d.line)[d.line - 1];
  if (line !== undefined && line.length <= 400) {
    const number = String(d.line).padStart(5);
    const lead = line.slice(0, d.column - 1).replace(/[^\t]/g, " ");
    out.push(paint("2", `${number} | `) + line.trimEnd());
    out.push(`${paint("2", "      | ")}${lead}${paint(tone, "^")}`);
  }
  if (d.hint !== undefined) out.push(`  ${paint("36", "hint:")} ${d.hint}`);
  return out.join("\n");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
