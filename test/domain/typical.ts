/** A transfer as a feed brings it, for sizes: identifiers in the clear or as tokens. */
import type { Tx, TxSide } from "../../src/domain/tx.ts";
import type { View } from "../../src/domain/view.ts";

const EMPTY_SIDE: TxSide = {
  own: true,
  kind: "account",
  account: undefined,
  party: undefined,
  card: undefined,
  wallet: undefined,
  partyType: "person",
  merchantId: undefined,
  mcc: undefined,
  merchantClass: undefined,
  merchantCountry: undefined,
  merchantPlace: undefined,
  merchantOpens: undefined,
  institutionId: undefined,
  institutionCountry: "DE",
  institutionType: undefined,
  balanceAfter: undefined,
  links: [],
  ref: undefined,
};

/** A token of an HMAC in base32, as long as the real ones. */
export function tokenLike(n: number): string {
  let text = "";
  let seed = (n + 1) * 2_654_435_761;
  for (let i = 0; i < 52; i += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[seed >>> 27];
  }
  return `k1.${text}`;
}

export function typicalTx(kind: "plain" | "tokens", n = 1, time = Date.UTC(2026, 2, 4, 12, 30, n % 60)): Tx {
  const account = (i: number) =>
    kind === "tokens" ? tokenLike(i) : `DE8937040044053201${String(i % 10_000).padStart(4, "0")}`;
  const party = (i: number) => (kind === "tokens" ? tokenLike(i + 50_000) : `C${100_000 + i}`);
  const amount = 12_345 + n * 97;
  return {
    id: `tx-2026-${String(10_000_000 + n * 13)}`,
    movementId: `tx-2026-${String(10_000_000 + n * 13)}`,
    time,
    localMinute: 810,
    localDay: Math.floor(time / 86_400_000),
    stage: "booked",
    rail: "transfer",
    purpose: undefined,
    channel: "online",
    amountMinor: amount,
    currency: "EUR",
    amount,
    debtor: { ...EMPTY_SIDE, account: account(n), party: party(n), balanceAfter: 1_234_567 },
    creditor: { ...EMPTY_SIDE, account: account(0), party: party(0), institutionCountry: "FR" },
    ultimateDebtor: undefined,
    ultimateCreditor: undefined,
    books: "both",
    relation: undefined,
    initiator: "debtor",
    actCountry: undefined,
    actPlace: undefined,
    actCell: undefined,
    actSite: undefined,
    whiteLabelAtm: undefined,
    device: "d-5f1c2a9b",
    ipCountry: "DE",
    ipCell: undefined,
    conductor: undefined,
    refs: [],
    travelTo: undefined,
    travelNights: undefined,
    travellers: undefined,
    memoClasses: [],
    corridorFrom: "DE",
    corridorTo: "FR",
    contentHash: 0x9e3779b9,
  };
}

export function typicalTransfer(kind: "plain" | "tokens"): View {
  const tx = typicalTx(kind);
  const { time } = tx;
  const entity = `account:${tx.creditor.account}`;
  return { kind: "tx", entity, time, txId: tx.id, hop: 0, source: "", index: 0, direction: "in", tx };
}
