/** Random numbers from a seed: everything in a simulation that could be otherwise is decided here. */

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  /** True `percent` times in a hundred; fractions of a percent count. */
  chance(percent: number): boolean;
  /** A number between the two. */
  between(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
  /** The same in an order of its own. */
  shuffle<T>(from: readonly T[]): T[];
}

/** The same numbers for the same seed, on every machine (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(unit() * limit);
  return {
    below,
    chance: (percent) => unit() * 100 < percent,
    between: (least, most) => least + unit() * (most - least),
    pick<T>(from: readonly T[]): T {
      return from[below(from.length)] as T;
    },
    shuffle<T>(from: readonly T[]): T[] {
      const list = [...from];
      for (let i = list.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [list[i], list[j]] = [list[j] as T, list[i] as T];
      }
      return list;
    },
  };
}
