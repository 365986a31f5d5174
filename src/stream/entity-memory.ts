/**
 * What a cached entity takes in memory, from the length of its encoded form: objects that are kept to be folded into
 * are far larger. Measured with the shipped rules: 2.7 KB where 151 bytes are stored, 4.6 where 359, 8.3 where 893,
 * 20.9 where 2,663. Counting encoded bytes alone let 1.6 GB of entities into a cache of 128 MB.
 */
export function memoryOf(encodedBytes: number): number {
  return 1_900 + 7.5 * encodedBytes;
}

/**
 * What one that rests takes: its key, its place in the tables, and its encoded form. Measured: 344 bytes where 151 are
 * stored, 552 where 359, 1,088 where 893.
 */
export function restingMemoryOf(encodedBytes: number): number {
  return 200 + encodedBytes;
}
