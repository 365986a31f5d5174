/**
 * `party/1`, the form in which an institution tells what it knows of its customers: records of parties and
 * of accounts, each in force from `validFrom` until a later one of the same entity. A record names exactly
 * one of `party` and `account`; what it leaves out is unknown, never inherited from an earlier version.
 */
import { z } from "zod";
import {
  amountSchema,
  CARDS_MAX,
  cellSchema,
  currencySchema,
  HOLDERS_MAX,
  LINKS_MAX,
  timeSchema,
  tokenSchema,
  zoneSchema,
} from "./fields.ts";
import { linkSchema } from "./movement.ts";
import { HOLDER_ROLES } from "./profile.ts";
import { PARTY_TYPES } from "./tx.ts";

/** What may be known of a party, and of an account where the feed knows no party. */
const known = {
  schema: z.literal("party/1"),
  validFrom: timeSchema,
  partyType: z.enum(PARTY_TYPES).optional(),
  segment: tokenSchema.optional(),
  industry: tokenSchema.optional(),
  occupationGroup: tokenSchema.optional(),
  homeCell: cellSchema.optional().describe("only for distance"),
  tz: zoneSchema.optional().describe("only for the local hour"),
  minor: z.boolean().optional(),
  expectedMonthly: z
    .strictObject({ amount: amountSchema, currency: currencySchema })
    .optional()
    .describe("expected monthly turnover"),
  links: z.array(linkSchema).max(LINKS_MAX).optional(),
  knownSince: timeSchema.optional(),
};

export const holderSchema = z.strictObject({
  party: tokenSchema,
  role: z.enum(HOLDER_ROLES),
  from: timeSchema.optional(),
  until: timeSchema.optional(),
});

export const partyOnlySchema = z.strictObject({ ...known, party: tokenSchema });

export const accountOnlySchema = z.strictObject({
  ...known,
  account: tokenSchema,
  product: tokenSchema.optional(),
  currency: currencySchema.optional(),
  opened: timeSchema.optional(),
  holders: z.array(holderSchema).max(HOLDERS_MAX).optional(),
  cards: z.array(tokenSchema).max(CARDS_MAX).optional(),
});

export const partyRecordSchema = z.union([partyOnlySchema, accountOnlySchema]);
export type PartyRecord = z.infer<typeof partyRecordSchema>;
