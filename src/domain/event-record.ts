/** `event/1`: something that happened to an entity without money, such as a login or a new device. */
import { z } from "zod";
import { ENTITY_KINDS } from "./entity.ts";
import { countrySchema, timeSchema, tokenSchema } from "./fields.ts";
import { EVENT_TYPES } from "./profile.ts";

export const eventRecordSchema = z.strictObject({
  schema: z.literal("event/1"),
  eventId: tokenSchema,
  occurredAt: timeSchema,
  type: z.enum(EVENT_TYPES),
  entity: z.strictObject({ kind: z.enum(ENTITY_KINDS), token: tokenSchema }),
  session: z.strictObject({ device: tokenSchema.optional(), ipCountry: countrySchema.optional() }).optional(),
  act: z.strictObject({ country: countrySchema.optional() }).optional(),
});
export type EventRecord = z.infer<typeof eventRecordSchema>;
