/**
 * `tx/1`, the form in which movements come in: money leaves `debtor` and reaches `creditor`, one record a
 * movement. The zod schema is the source of the published JSON Schema and of every error; `intake/check.ts`
 * accepts the same set on the hot path. What a schema cannot say (known currencies, times that exist,
 * identifiers that a side must name) is decided in `intake/normalise.ts`.
 */
import { z } from "zod";
import {
  amountSchema,
  CHARGES_MAX,
  cellSchema,
  countrySchema,
  currencySchema,
  LINKS_MAX,
  MEMO_CLASSES_MAX,
  mccSchema,
  REFS_MAX,
  signedAmountSchema,
  smallCountSchema,
  timeSchema,
  tokenSchema,
  zoneSchema,
} from "./fields.ts";
import {
  CHANNELS,
  INSTITUTION_TYPES,
  LINK_KINDS,
  PARTY_TYPES,
  PURPOSES,
  RAILS,
  REF_KINDS,
  RELATION_KINDS,
  SIDE_KINDS,
  STAGES,
} from "./tx.ts";

export const TIME_PRECISIONS = ["second", "minute", "day"] as const;
export const BOOKS = ["both", "debtor", "creditor"] as const;
export const BEARERS = ["debtor", "creditor", "shared"] as const;
export const INITIATORS = ["debtor", "creditor", "institution"] as const;

export const linkSchema = z.strictObject({ kind: z.enum(LINK_KINDS), token: tokenSchema });

export const sideSchema = z.strictObject({
  own: z.boolean().optional().describe("held at this institution"),
  kind: z.enum(SIDE_KINDS),
  account: tokenSchema.optional(),
  party: tokenSchema.optional(),
  card: tokenSchema.optional(),
  wallet: tokenSchema.optional(),
  partyType: z.enum(PARTY_TYPES).optional(),
  merchant: z
    .strictObject({
      id: tokenSchema.optional(),
      mcc: mccSchema.optional(),
      class: tokenSchema.optional(),
      country: countrySchema.optional(),
      place: tokenSchema.optional(),
      opens: tokenSchema.optional(),
    })
    .optional(),
  institution: z
    .strictObject({
      id: tokenSchema.optional(),
      country: countrySchema.optional(),
      type: z.enum(INSTITUTION_TYPES).optional(),
    })
    .optional(),
  amount: amountSchema.optional(),
  currency: currencySchema.optional(),
  balanceAfter: signedAmountSchema.optional(),
  links: z.array(linkSchema).max(LINKS_MAX).optional(),
  ref: tokenSchema.optional(),
});
export type MovementSide = z.infer<typeof sideSchema>;

export const movementSchema = z.strictObject({
  schema: z.literal("tx/1"),
  txId: tokenSchema,
  movementId: tokenSchema.optional().describe("joins the records of one movement; default txId"),
  occurredAt: timeSchema,
  timePrecision: z.enum(TIME_PRECISIONS).optional(),
  tz: zoneSchema.optional().describe("IANA zone of the act"),
  stage: z.enum(STAGES).optional(),
  rail: z.enum(RAILS),
  purpose: z.enum(PURPOSES).optional(),
  channel: z.enum(CHANNELS).optional(),
  amount: amountSchema,
  currency: currencySchema,
  charges: z
    .array(z.strictObject({ amount: amountSchema, currency: currencySchema, bearer: z.enum(BEARERS) }))
    .max(CHARGES_MAX)
    .optional(),
  debtor: sideSchema,
  creditor: sideSchema,
  ultimateDebtor: sideSchema.optional(),
  ultimateCreditor: sideSchema.optional(),
  books: z.enum(BOOKS).optional().describe("whose ledger this record posts; default both"),
  relation: z
    .strictObject({
      kind: z.enum(RELATION_KINDS),
      of: tokenSchema,
      occurredAt: timeSchema.optional().describe("time of the original; a reversal must carry it"),
    })
    .optional(),
  initiator: z.enum(INITIATORS).optional(),
  act: z
    .strictObject({
      country: countrySchema.optional(),
      place: tokenSchema.optional(),
      cell: cellSchema.optional(),
      tz: zoneSchema.optional(),
      site: tokenSchema.optional(),
      whiteLabelAtm: z.boolean().optional(),
    })
    .optional(),
  session: z
    .strictObject({
      device: tokenSchema.optional(),
      ipCountry: countrySchema.optional(),
      ipCell: cellSchema.optional(),
    })
    .optional(),
  conductor: tokenSchema.optional().describe("person at the counter, when not a holder"),
  refs: z
    .array(z.strictObject({ kind: z.enum(REF_KINDS), token: tokenSchema }))
    .max(REFS_MAX)
    .optional(),
  travel: z
    .strictObject({
      to: tokenSchema.optional(),
      nights: smallCountSchema.optional(),
      travellers: smallCountSchema.optional(),
      departs: timeSchema.optional(),
    })
    .optional(),
  memoClasses: z.array(tokenSchema).max(MEMO_CLASSES_MAX).optional(),
  labels: z
    .strictObject({ story: tokenSchema.optional(), suspicious: z.boolean().optional() })
    .optional()
    .describe("fixtures only; no rule can read them"),
});
export type Movement = z.infer<typeof movementSchema>;
