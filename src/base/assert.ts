/** Checks of invariants: a failure is an error of the program, not of its input. */

/** Throws when `condition` does not hold; `message` says which invariant was broken. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** For the default branch of a switch over a closed union. */
export function assertNever(value: never): never {
  throw new Error(`invariant broken: unexpected value ${JSON.stringify(value)}`);
}
