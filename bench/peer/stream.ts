/**
 * The input of workload W, byte for byte as its own producer makes it: xorshift32 from seed 123456789, 100,000 accounts
 * drawn unevenly in one name space, 7 ms of event time between two payments.
 */
const CURRENCIES = ["EUR", "USD", "GBP", "SEK", "PLN"];
const CHANNELS = ["SEPA", "SWIFT", "CARD", "INSTANT"];
const COUNTRIES = ["DE", "FR", "GB", "AE", "US", "SE"];
const ACCOUNTS = 100_000;
const FROM = 1_760_000_000_000;
const GAP_MS = 7;
const SEED = 123_456_789;

export interface Payment {
  readonly id: string;
  readonly minor: number;
  readonly debtor: string;
  readonly creditor: string;
  /** The message's value. */
  readonly json: string;
}

/** The first `count` payments. */
export function* payments(count: number): Generator<Payment> {
  let x = SEED;
  const random = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 4_294_967_296;
  };
  const account = (): number => Math.floor(ACCOUNTS * random() * random());
  const iban = (n: number): string => `DE89${String(n).padStart(18, "0")}`;
  for (let i = 0; i < count; i++) {
    const from = account();
    let to = account();
    if (from === to) to = (to + 1) % ACCOUNTS;
    const id = `tx-${String(i).padStart(12, "0")}`;
    const minor = 100 + Math.floor(random() * 5_000_000);
    const debtor = { account: iban(from), country: COUNTRIES[i % 6] };
    const creditor = { account: iban(to), country: COUNTRIES[(i >> 2) % 6] };
    const message = {
      id,
      ts: FROM + i * GAP_MS,
      amount: { minor, currency: CURRENCIES[i % 5] },
      debtor,
      creditor,
      channel: CHANNELS[i & 3],
      type: "transfer",
      device: `dev-${String(from % 20_000).padStart(8, "0")}`,
      ip: `10.${from & 255}.${(from >> 8) & 255}.${i & 255}`,
      bookingDate: "2026-11-01",
      remittance: `invoice ${i % 100_000}`,
    };
    yield { id, minor, debtor: debtor.account, creditor: creditor.account, json: JSON.stringify(message) };
  }
}
