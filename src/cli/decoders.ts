/** The decoders of a service: one for each input, with the rates of the pack's lists and the operator's mapping. */
import { readMappingFile } from "../files/mapping-file.ts";
import { createDecoder, type Decoder } from "../intake/decode.ts";
import type { Lists } from "../rules/lists.ts";

/** `mapping` is a file; it holds for the input whose records it makes. Throws UsageError when it has errors. */
export function createDecoders(
  mapping: string | undefined,
  lists: Lists,
): Readonly<Record<"transactions" | "parties", Decoder>> {
  const { rates } = lists;
  const plain = createDecoder({ rates });
  if (mapping === undefined) return { transactions: plain, parties: plain };
  const read = readMappingFile(mapping);
  const mapped = createDecoder({ rates, mapping: read });
  return read.record === "party/1"
    ? { transactions: plain, parties: mapped }
    : { transactions: mapped, parties: plain };
}
