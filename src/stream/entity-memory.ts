/**
 * What a cached entity takes in memory, from the length of its encoded form: objects that are kept to be folded into
 * are far larger. Measured with the shipped rules and with bench/peer: 3.5 KB where 111 bytes are stored, 6.6 where
 * 339, 14.0 where 1,043, 32.4 where 2,754. Counting encoded bytes alone let 1.6 GB of entities into a cache of 128 MB.
 */
export function memoryOf(encodedBytes: number): number {
  return 2_500 + 11 * encodedBytes;
}
