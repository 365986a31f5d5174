/**
 * Lists of which very many are held and few hold much: what an entity keeps is dozens of them, and room that nothing
 * fills was a quarter of an entity with few movements.
 */

/** Up to this length a list grows by what it needs: one that grows by `push` makes room for seventeen at once. */
export const SHORT = 4;

/** The list with an item at its end; what is returned takes its place. */
export function appended<T>(list: T[], item: T): T[] {
  // A spread grows by the rule of `push`.
  if (list.length < SHORT) return list.concat([item]);
  list.push(item);
  return list;
}

/** Stands for every list without items. Never changed: `changeable` gives another in its place. */
export const NONE: readonly never[] = Object.freeze([]);

/** The list itself, or a new one in place of an empty one, which may be `NONE`. */
export function changeable<T>(list: readonly T[]): T[] {
  return list.length === 0 ? [] : (list as T[]);
}
