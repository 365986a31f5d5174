/** What a verdict says to the sender of a movement, where it was not taken. */
import type { Reject } from "../base/errors.ts";
import type { Tx } from "../domain/tx.ts";
import type { Verdict } from "./outputs.ts";

/** The reason why a movement was not screened; undefined where it was. */
export function refusalOf(tx: Tx, verdict: Verdict): Reject | undefined {
  if (verdict === "conflict") {
    const expected = "the content first sent under this id; a correction is a reversal and a new movement";
    return { code: "CONFLICT", field: "txId", expected, found: `other content under ${tx.id}` };
  }
  if (verdict === "too_late") {
    const expected = "a time at most 48 h before the newest movement of its account; sort the input by occurredAt";
    return { code: "TOO_LATE", field: "occurredAt", expected, found: new Date(tx.time).toISOString() };
  }
  return undefined;
}
