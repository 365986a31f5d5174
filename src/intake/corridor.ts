/**
 * The countries of the two ends of a movement: where an end stood (shop, counter, cash machine), else where
 * its institution is. Never where a person lives or comes from.
 */
import type { Movement, MovementSide } from "../domain/movement.ts";

/** Country that the money left from, undefined when unknown. */
export function corridorFrom(movement: Movement): string | undefined {
  return endCountry(movement, movement.debtor, "debtor");
}

/** Country that the money reached, undefined when unknown. */
export function corridorTo(movement: Movement): string | undefined {
  return endCountry(movement, movement.creditor, "creditor");
}

function endCountry(movement: Movement, side: MovementSide, end: End): string | undefined {
  const placed = side.merchant?.country ?? (actEnd(movement) === end ? movement.act?.country : undefined);
  return placed ?? side.institution?.country;
}

type End = "debtor" | "creditor";

/**
 * The end at which the act took place: the cash or the merchant where one side is that, else the side whose
 * posting it is, else the one that began it.
 */
function actEnd(movement: Movement): End {
  if (isPlace(movement.debtor)) return "debtor";
  if (isPlace(movement.creditor)) return "creditor";
  if (movement.books === "debtor" || movement.books === "creditor") return movement.books;
  return movement.initiator === "creditor" ? "creditor" : "debtor";
}

function isPlace(side: MovementSide): boolean {
  return side.kind === "cash" || side.kind === "merchant";
}
