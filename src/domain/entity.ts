/** Entities: what a rule may watch, and how one is named. */

export const ENTITY_KINDS = [
  "account",
  "party",
  "card",
  "wallet",
  "device",
  "phone",
  "address",
  "employer",
  "merchant",
] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** `kind:token`, such as `account:k1.MZXW6`. The token may itself contain colons. */
export type EntityKey = string;

/** Builds the key of an entity. */
export function entityKey(kind: EntityKind, token: string): EntityKey {
  return `${kind}:${token}`;
}

/** The kind part of a key. */
export function kindOf(key: EntityKey): EntityKind {
  return key.slice(0, key.indexOf(":")) as EntityKind;
}

/** The token part of a key. */
export function tokenOf(key: EntityKey): string {
  return key.slice(key.indexOf(":") + 1);
}
