/** The published contracts and the JSON Schema text of each; `scripts/make-schema.mjs` writes them to `schema/`. */
import { toJSONSchema, type z } from "zod";
import { alertSchema, alertStubSchema } from "../domain/alert.ts";
import { eventRecordSchema } from "../domain/event-record.ts";
import { movementSchema } from "../domain/movement.ts";
import { partyRecordSchema } from "../domain/party-record.ts";

export interface Contract {
  /** Name of the file in `schema/`. */
  readonly file: string;
  readonly title: string;
  readonly schema: z.ZodType;
  /** Palermo writes it and others read it. */
  readonly outgoing: boolean;
}

export const CONTRACTS: readonly Contract[] = [
  { file: "tx-1.json", title: "Movement of money (tx/1)", schema: movementSchema, outgoing: false },
  { file: "party-1.json", title: "Party or account (party/1)", schema: partyRecordSchema, outgoing: false },
  { file: "event-1.json", title: "Event without money (event/1)", schema: eventRecordSchema, outgoing: false },
  { file: "alert-1.json", title: "Alert (alert/1)", schema: alertSchema, outgoing: true },
  { file: "alert-stub-1.json", title: "Alert stub (alert-stub/1)", schema: alertStubSchema, outgoing: true },
];

/**
 * The text of a JSON Schema file (draft 2020-12). What Palermo writes stays open for fields that a later
 * minor version adds, since a reader must not break over them; what it reads is closed.
 */
export function schemaText(contract: Contract): string {
  const { $schema, ...body } = toJSONSchema(contract.schema, {
    target: "draft-2020-12",
    override: ({ jsonSchema }) => {
      if (contract.outgoing && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  const $id = `urn:palermo:schema:${contract.file.replace(".json", "")}`;
  return `${JSON.stringify({ $schema, $id, title: contract.title, ...body }, null, 2)}\n`;
}
