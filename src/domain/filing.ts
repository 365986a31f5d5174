/**
 * Hints for the report that may follow an alert, in the words of two reporting regimes. They come from the crime of the
 * typology and from the advisories that the alert's own rules cite; other regimes are the case system's to map.
 */
import type { Crime } from "./vocabulary.ts";

export interface Filing {
  /** Codes of suspicious activity on FinCEN's report form, as `FinCEN-SAR CODE`. */
  codes: string[];
  /** Words by which an advisory asks to have its reports marked. */
  keyTerms: string[];
}

interface Code {
  readonly code: string;
  /** It says of a person what he is, not of money what it does. */
  readonly namesPerson: boolean;
}

const CODES: Readonly<Record<Crime, readonly Code[]>> = {
  human_trafficking: [{ code: "FinCEN-SAR 927", namesPerson: false }],
  migrant_smuggling: [{ code: "FinCEN-SAR 926", namesPerson: false }],
  child_exploitation: [],
  terrorist_financing: [{ code: "FinCEN-SAR 701", namesPerson: true }],
  nexus: [
    { code: "FinCEN-SAR 927", namesPerson: false },
    { code: "FinCEN-SAR 701", namesPerson: true },
  ],
};

const KEY_TERMS: Readonly<Record<string, string>> = {
  "FIN-2020-A008": "HUMAN TRAFFICKING FIN-2020-A008",
  "FIN-2023-Alert001": "FIN-2023-HUMANSMUGGLING",
  "FIN-2025-A001": "ISIS-2025-A001",
  "FINTRAC-2016-OA003": "#PROTECT",
  "FINTRAC-2021-OA001": "#PROTECT",
  "FINTRAC-2025-OCSE": "#SHADOW",
};

/** Hints for a crime and the documents that are cited. Where a victim is possible, no code that names a person. */
export function filingHints(crime: Crime, documents: Iterable<string>, victimPossible: boolean): Filing {
  const codes = CODES[crime].filter(({ namesPerson }) => !(namesPerson && victimPossible)).map(({ code }) => code);
  const keyTerms = new Set<string>();
  for (const document of documents) {
    const term = Object.hasOwn(KEY_TERMS, document) ? KEY_TERMS[document] : undefined;
    if (term !== undefined) keyTerms.add(term);
  }
  return { codes, keyTerms: [...keyTerms].sort() };
}
