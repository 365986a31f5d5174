/** Short forms for tests of intake. */
import { createRates } from "../../src/domain/money.ts";
import type { Tx } from "../../src/domain/tx.ts";
import { createDecoder, type Decoded, type Decoder } from "../../src/intake/decode.ts";
import { routeTx } from "../../src/intake/route.ts";

export const rates = createRates("EUR", [{ from: "2026-01-01", rates: { USD: "1.25", ETH: "0.0005", JPY: "160" } }]);

export const decoder: Decoder = createDecoder({ rates });

/** A transfer between two accounts with the given members added or replaced. */
export function movement(members: object = {}): Record<string, unknown> {
  return {
    schema: "tx/1",
    txId: "t1",
    occurredAt: "2026-03-04T10:11:12Z",
    rail: "transfer",
    amount: "250.00",
    currency: "EUR",
    debtor: { kind: "account", account: "A", own: true },
    creditor: { kind: "account", account: "B" },
    ...members,
  };
}

export function decode(record: unknown): Decoded {
  return decoder.decodeJson(JSON.stringify(record));
}

/** The transaction of a record that must be good. */
export function txOf(record: unknown): Tx {
  const decoded = decode(record);
  if (decoded.kind !== "tx") throw new Error(`not a movement: ${JSON.stringify(decoded)}`);
  return decoded.tx;
}

/** `code field` of a record that must be bad. */
export function refusal(record: unknown): string {
  const decoded = decode(record);
  return decoded.kind === "reject" ? `${decoded.reject.code} ${decoded.reject.field}` : decoded.kind;
}

/** Views of a record as `direction entity`, in order. */
export function told(record: unknown): string[] {
  return routeTx(txOf(record)).map((view) => `${view.direction} ${view.entity}`);
}
