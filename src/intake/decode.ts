/**
 * From the bytes of one message or line to a movement, a profile or an event, or to the reason why not.
 * Nothing here throws for bad data, and nothing of a refused record's free text gets into the reason.
 */
import type { Reject } from "../base/errors.ts";
import { RECORD_BYTES_MAX } from "../base/limits.ts";
import { eventRecordSchema } from "../domain/event-record.ts";
import type { Rates } from "../domain/money.ts";
import { type Movement, movementSchema } from "../domain/movement.ts";
import { accountOnlySchema, type PartyRecord, partyOnlySchema } from "../domain/party-record.ts";
import type { EntityEvent, Profile } from "../domain/profile.ts";
import { createZones, type Zones } from "../domain/time.ts";
import type { Tx } from "../domain/tx.ts";
import { checkMovement } from "./check.ts";
import type { FieldVocabulary, IntakeContext, RecordPlace } from "./context.ts";
import { findKeyFault, mayHaveKeyFault, repeatsKeys } from "./json-keys.ts";
import { normaliseMovement } from "./normalise.ts";
import { normaliseEvent, normaliseParty } from "./profile.ts";
import { describe, isReject, quoteCode, reject, schemaReject } from "./refusal.ts";

/** What one record turned out to be. */
export type Decoded =
  | { readonly kind: "tx"; readonly tx: Tx }
  | { readonly kind: "profile"; readonly profile: Profile }
  | { readonly kind: "event"; readonly event: EntityEvent }
  | { readonly kind: "reject"; readonly reject: Reject };

/** Turns a foreign record into the plain value of one of Palermo's schemas. `mapping.ts` makes one. */
export interface RecordMapper {
  map(source: unknown, place: RecordPlace): { readonly value: unknown } | Reject;
}

export interface DecoderOptions {
  readonly rates: Rates;
  readonly vocabulary?: FieldVocabulary | undefined;
  /** For records of another shape; without one they must be `tx/1`, `party/1` or `event/1`. */
  readonly mapping?: RecordMapper | undefined;
  /** Epoch ms that times may not lie ahead of, where a record's place names no reference of its own. */
  readonly asOf?: number | undefined;
  /** Zones that several decoders share; without them each has its own. */
  readonly zones?: Zones | undefined;
}

export interface Decoder {
  /** Decodes one JSON message or line. A text is taken as it is; bytes must be UTF-8. */
  decodeJson(input: Uint8Array | string, place?: RecordPlace): Decoded;
  /**
   * The same for a text that is known to be valid UTF-8 and not too large. `clean`: it is ASCII without
   * backslash and DEL, which spares the look at every character of every token.
   */
  decodeText(text: string, clean: boolean, place?: RecordPlace): Decoded;
  /** Decodes a value that needs no parsing, such as a row of a CSV file. */
  decodeValue(value: unknown, place?: RecordPlace): Decoded;
}

/** Makes a decoder; it holds a bounded cache of time zones and nothing else. */
export function createDecoder(options: DecoderOptions): Decoder {
  const context: IntakeContext = {
    rates: options.rates,
    zones: options.zones ?? createZones(),
    vocabulary: options.vocabulary ?? {},
  };
  const { mapping, asOf } = options;
  const nowhere: RecordPlace = {};

  function decodeText(text: string, clean: boolean, place: RecordPlace = nowhere): Decoded {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return refused(malformed(error, text));
    }
    if (mapping === undefined) {
      const length = isTagged(value, "tx/1") ? checkMovement(value, clean) : -1;
      // A text as short as its value can be written has no room for a repeated key.
      if (length === text.length || (length >= 0 && !repeatsKeys(text, value))) {
        return decodeMovement(value as Movement, place);
      }
    } else if (!mayHaveKeyFault(text, value)) return decodeValue(value, place);
    const fault = findKeyFault(text);
    if (fault !== undefined) return refused(keyReject(fault.code, fault.path));
    return decodeValue(value, place);
  }

  function decodeValue(value: unknown, place: RecordPlace = nowhere): Decoded {
    if (mapping === undefined) return decodeRecord(value, place);
    const mapped = mapping.map(value, place);
    return isReject(mapped) ? refused(mapped) : decodeRecord(mapped.value, place);
  }

  function decodeRecord(value: unknown, place: RecordPlace): Decoded {
    if (isTagged(value, "tx/1")) {
      if (checkMovement(value, false) >= 0) return decodeMovement(value as Movement, place);
      return refused(schemaReject(movementSchema, value) ?? unexplained());
    }
    if (isTagged(value, "party/1")) {
      const schema = Object.hasOwn(value, "account") ? accountOnlySchema : partyOnlySchema;
      const fault = schemaReject(schema, value);
      if (fault !== undefined) return refused(fault);
      const profile = normaliseParty(value as unknown as PartyRecord, context, place.asOf ?? asOf);
      return isReject(profile) ? refused(profile) : { kind: "profile", profile };
    }
    if (isTagged(value, "event/1")) {
      const parsed = eventRecordSchema.safeParse(value);
      if (!parsed.success) return refused(schemaReject(eventRecordSchema, value) ?? unexplained());
      const event = normaliseEvent(parsed.data, place.asOf ?? asOf);
      return isReject(event) ? refused(event) : { kind: "event", event };
    }
    return refused(tagReject(value));
  }

  function decodeMovement(movement: Movement, place: RecordPlace): Decoded {
    const tx = normaliseMovement(movement, context, place.asOf ?? asOf);
    return isReject(tx) ? refused(tx) : { kind: "tx", tx };
  }

  function decodeJson(input: Uint8Array | string, place: RecordPlace = nowhere): Decoded {
    if (typeof input === "string") {
      if (input.length > RECORD_BYTES_MAX || Buffer.byteLength(input) > RECORD_BYTES_MAX) return refused(tooLarge());
      return /\p{Surrogate}/u.test(input) ? refused(badUtf8()) : decodeText(input, false, place);
    }
    if (input.length > RECORD_BYTES_MAX) return refused(tooLarge());
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    const text = bytes.toString("utf8");
    // Bytes that are not UTF-8 turn into U+FFFD. As many characters as bytes: ASCII, or there are such bytes.
    const replaced = text.includes("\ufffd");
    if (text.length !== bytes.length) {
      return replaced && !Buffer.from(text).equals(bytes) ? refused(badUtf8()) : decodeText(text, false, place);
    }
    return replaced ? refused(badUtf8()) : decodeText(text, isCleanAscii(text), place);
  }

  return { decodeJson, decodeText, decodeValue };
}

/** Whether an ASCII text has no backslash and no DEL, so that no string in it holds a control character. */
export function isCleanAscii(text: string): boolean {
  return !text.includes("\\") && !text.includes("\x7f");
}

/** Reject of a record longer than the cap. */
export function tooLarge(): Reject {
  return reject("TOO_LARGE", "", `at most ${RECORD_BYTES_MAX} bytes`, "a longer record");
}

/** Reject of bytes that are not UTF-8. */
export function badUtf8(): Reject {
  return reject("BAD_UTF8", "", "UTF-8", "bytes that are not UTF-8");
}

function refused(fault: Reject): Decoded {
  return { kind: "reject", reject: fault };
}

function isTagged(value: unknown, schema: string): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && (value as { readonly schema?: unknown }).schema === schema;
}

/** The position of the fault, never the runtime's message: that may quote the record. */
function malformed(error: unknown, text: string): Reject {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  const found =
    text.trim() === "" ? "an empty text" : position === undefined ? "no JSON" : `a fault at character ${position}`;
  return reject("MALFORMED_JSON", "", "one JSON object", found);
}

function keyReject(code: "DUPLICATE_KEY" | "FORBIDDEN_KEY", path: string): Reject {
  const field = path.replace(/[^\x20-\x7e]/g, "?").slice(0, 120);
  return code === "DUPLICATE_KEY"
    ? reject(code, field, "each key once", "the key again")
    : reject(code, field, "no key of that name", "a key that reaches into prototypes");
}

function tagReject(value: unknown): Reject {
  const expected = '"schema": one of tx/1, party/1, event/1; records of another shape need a mapping file';
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return reject("SCHEMA", "", "one JSON object", describe(value));
  }
  const tag = Object.hasOwn(value, "schema") ? (value as { readonly schema?: unknown }).schema : undefined;
  return reject("SCHEMA", "schema", expected, typeof tag === "string" ? quoteCode(tag) : describe(tag));
}

/** The hot check and the schema disagree: the record is refused all the same; a property test should have seen it. */
function unexplained(): Reject {
  return reject("SCHEMA", "", "a record of its schema", "a record that the check refuses");
}
