/**
 * The alert contract, version 1: what case systems build on. The zod schema is the source; the JSON
 * Schema in `schema/` is generated from it. A record is always the whole alert: a consumer keeps the
 * one with the higher `revision` under the same `alertId`.
 */
import { z } from "zod";
import { ENTITY_KINDS } from "./entity.ts";
import { ALERT_CLASSES, CRIMES, PARTY_ROLES, SEVERITIES } from "./vocabulary.ts";

const rfc3339 = z.iso.datetime();

/** Why a transaction is listed under a number. */
export const LISTED_WHY = ["first", "last", "largest", "crossed", "counted"] as const;

export const evidenceSchema = z.strictObject({
  /** Name of the number in its rule, such as `agg.people`. */
  measure: z.string(),
  /** In its unit: money as a decimal string of the base currency, the rest as text too. */
  observed: z.string(),
  comparison: z.enum([">=", ">", "<=", "<", "==", "!=", "in"]),
  threshold: z.string(),
  unit: z.enum(["money", "count", "ratio", "duration", "distance", "time_of_day", "text"]),
  /** False when the oldest bucket may count up to 1/48 of the window too much. */
  exact: z.boolean(),
  /** Interval really covered, half open: (from, to]. */
  from: rfc3339,
  to: rfc3339,
  /** Events behind the number. */
  count: z.int().nonnegative(),
  listed: z
    .array(
      z.strictObject({
        txId: z.string(),
        at: rfc3339,
        amount: z.string().optional(),
        why: z.enum(LISTED_WHY),
      }),
    )
    .max(200),
  /** Subtotals by UTC day, or longer stretches, that add up to `observed` (sums) or `count` (counts). */
  ledger: z.array(z.strictObject({ from: rfc3339, to: rfc3339, count: z.int(), sum: z.string().optional() })),
});
export type Evidence = z.infer<typeof evidenceSchema>;

const subjectSchema = z.strictObject({
  kind: z.enum(ENTITY_KINDS),
  token: z.string(),
  ref: z.string().optional(),
  own: z.boolean(),
});

export const indicatorSchema = z.strictObject({
  ruleId: z.string(),
  version: z.int(),
  title: z.string(),
  /** The entity on which the red flag was seen. */
  source: z.strictObject({ kind: z.enum(ENTITY_KINDS), token: z.string() }),
  family: z.string(),
  first: rfc3339,
  last: rfc3339,
  explanation: z.string(),
  sources: z.array(z.strictObject({ doc: z.string(), point: z.string() })),
  cautions: z.array(z.string()),
  evidence: z.array(evidenceSchema),
});

export const alertSchema = z.strictObject({
  schema: z.literal("alert/1"),
  alertId: z.string(),
  revision: z.int().positive(),
  event: z.enum(["opened", "updated", "escalated", "superseded", "withdrawn"]),
  cause: z.enum(["evidence", "late_event", "correction", "profile", "supersede"]),
  relatedAlertId: z.string().optional(),
  tenant: z.string(),
  status: z.enum(["active", "shadow"]),
  alertClass: z.enum(ALERT_CLASSES),
  typology: z.strictObject({
    id: z.string(),
    version: z.int(),
    title: z.string(),
    crime: z.enum(CRIMES),
    sources: z.array(z.strictObject({ doc: z.string(), point: z.string() })),
  }),
  packHash: z.string(),
  /** Lists that its rules look things up in, by id. */
  lists: z.array(z.strictObject({ id: z.string(), version: z.string() })),
  subject: subjectSchema,
  /** The own party or account nearest on the flow, which a case is opened on. */
  openFor: subjectSchema.optional(),
  parties: z.array(
    z.strictObject({
      kind: z.enum(ENTITY_KINDS),
      token: z.string(),
      role: z.enum(PARTY_ROLES),
      confidence: z.enum(["low", "medium", "high"]),
      basis: z.string(),
    }),
  ),
  severity: z.enum(SEVERITIES),
  score: z.int(),
  /** Start of the episode; part of the id. */
  openedAt: rfc3339,
  /** Event time of the newest evidence. */
  updatedAt: rfc3339,
  explanation: z.string(),
  why: z.strictObject({
    families: z.array(
      z.strictObject({
        name: z.string(),
        points: z.int(),
        /** The family would have had more without its cap. */
        capped: z.boolean(),
        indicators: z.array(z.string()),
      }),
    ),
    reductions: z.array(z.strictObject({ name: z.string(), points: z.int() })),
    /** Names of the clauses of `alert_when` that hold. */
    clauses: z.array(z.string()),
    /** Names of those that held when the alert opened. */
    openedBy: z.array(z.string()),
    /** Families that joined when the severity rose last, or with which it opened. */
    raisedBy: z.array(z.string()),
  }),
  indicators: z.array(indicatorSchema),
  marks: z.array(
    z.strictObject({
      ruleId: z.string(),
      crime: z.enum(CRIMES),
      root: z.strictObject({ kind: z.enum(ENTITY_KINDS), token: z.string() }),
      alertId: z.string().optional(),
      flow: z.enum(["downstream", "upstream"]),
      distance: z.int(),
      about: rfc3339,
      amount: z.string(),
      viaTx: z.string(),
    }),
  ),
  cautions: z.array(z.string()),
  victimPossible: z.boolean(),
  handling: z.strictObject({
    queue: z.enum(["standard", "specialist"]),
    doNotNameAsSubject: z.boolean(),
    note: z.string(),
  }),
  sla: z.strictObject({ class: z.string(), withinHours: z.int() }),
  /** Hints for a report: activity codes and key terms; none that names a person where a victim is possible. */
  filing: z.strictObject({ codes: z.array(z.string()), keyTerms: z.array(z.string()) }),
  /** Neutral sentences to start a report from; names nobody who may be a victim. */
  narrativeDraft: z.string().max(2_000),
  /**
   * `previous` episode of the same pattern, `same_subject`, `same_party` (on an account of it), `linked` (on a member
   * of a link), `supersedes`, and `upstream` or `downstream` along money.
   */
  related: z.array(z.strictObject({ alertId: z.string(), relation: z.string() })),
  /** Against the previous revision; empty on the first. */
  changes: z.array(z.string()),
});

export type Alert = z.infer<typeof alertSchema>;

/** What `palermo.alerts` carries in place of an alert of class `protected`. */
export const alertStubSchema = alertSchema
  .pick({
    alertId: true,
    revision: true,
    alertClass: true,
    sla: true,
  })
  .extend({ schema: z.literal("alert-stub/1") });
export type AlertStub = z.infer<typeof alertStubSchema>;
