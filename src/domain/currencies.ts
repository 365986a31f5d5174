/**
 * Currencies and their minor units, from ISO 4217 (list one), with the crypto assets that institutions
 * report under their own decimals. Our own table, because the runtime's disagrees with ISO for several
 * codes and changes with its version, and money must not.
 */

/** Decimals of each ISO 4217 code; two unless listed below. */
const ISO_TWO_DECIMALS =
  "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY " +
  "COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS " +
  "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR " +
  "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP " +
  "STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
const ISO_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const ISO_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND";
const ISO_FOUR_DECIMALS = "CLF UYW";
/** Withdrawn in the 2020s, still found in the past data that is replayed. */
const ISO_WITHDRAWN = "ANG BGN CUC HRK SLL ZWL";

const ASSETS = {
  BTC: 8,
  ETH: 18,
  USDT: 6,
  USDC: 6,
  SOL: 9,
  TRX: 6,
  XMR: 12,
  LTC: 8,
  BCH: 8,
  XRP: 6,
  DAI: 18,
  BNB: 18,
} as const;

/** What amounts of one currency look like. */
export interface Currency {
  readonly code: string;
  /** Decimals of the minor unit. */
  readonly decimals: number;
  /** False for crypto assets, whose amounts may need a bigint. */
  readonly fiat: boolean;
}

const TABLE: ReadonlyMap<string, Currency> = new Map([
  ...rows(ISO_TWO_DECIMALS, 2),
  ...rows(ISO_NO_DECIMALS, 0),
  ...rows(ISO_THREE_DECIMALS, 3),
  ...rows(ISO_FOUR_DECIMALS, 4),
  ...rows(ISO_WITHDRAWN, 2),
  ...Object.entries(ASSETS).map(([code, decimals]): [string, Currency] => [code, { code, decimals, fiat: false }]),
]);

/** The currency of a code, undefined when the table does not have it. Codes are upper case. */
export function currencyOf(code: string): Currency | undefined {
  return TABLE.get(code);
}

/** Every code of the table, sorted, for the reference and for tests. */
export function currencyCodes(): string[] {
  return [...TABLE.keys()].sort();
}

function rows(codes: string, decimals: number): [string, Currency][] {
  return codes.split(" ").map((code) => [code, { code, decimals, fiat: true }]);
}
