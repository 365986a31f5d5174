/**
 * What can go wrong, as stable codes. Bad data is a value (a reject or a diagnostic) and never
 * stops a stream; a broken invariant is a thrown error and stops the process.
 */

/** Why a record of outside data was not screened. Stable: case systems and dashboards count by it. */
export const REJECT_CODES = [
  "BAD_UTF8",
  "TOO_LARGE",
  "MALFORMED_JSON",
  "MALFORMED_CSV",
  "DUPLICATE_KEY",
  "FORBIDDEN_KEY",
  "SCHEMA",
  "BAD_AMOUNT",
  "UNKNOWN_CURRENCY",
  "BAD_TIME",
  "FAR_FUTURE",
  "TOO_LATE",
  "BAD_RELATION",
  "UNKNOWN_VOCABULARY",
  "MAPPING",
  "CONFLICT",
] as const;

export type RejectCode = (typeof REJECT_CODES)[number];

/** One record that could not be screened: where it stood, what was found, what was expected. */
export interface Reject {
  readonly code: RejectCode;
  /** Dotted path of the field at fault, empty when the record as a whole is. */
  readonly field: string;
  /** What was expected there, in words that name the fix. */
  readonly expected: string;
  /** What stood there: a type or a shortened form, never personal free text. */
  readonly found: string;
}

/** A finding about a file that a person wrote (rule, list, mapping, configuration). */
export interface Diagnostic {
  /** Stable, such as `E014`; documented in the reference. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly message: string;
  /** How to mend it, where that is known. */
  readonly hint?: string;
}

/** Thrown when usage, configuration or rules are at fault: the CLI prints it and exits with 2. */
export class UsageError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  constructor(message: string, diagnostics: readonly Diagnostic[] = []) {
    super(message);
    this.name = "UsageError";
    this.diagnostics = diagnostics;
  }
}
