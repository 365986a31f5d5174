/** The decoders of a service: one for each input, by the lists of the pack in force and the mapping of the operator. */
import { readMappingFile } from "../files/mapping-file.ts";
import { createDecoder, type Decoder } from "../intake/decode.ts";
import type { Mapping } from "../intake/mapping.ts";
import type { Lists } from "../rules/lists.ts";

export interface Decoders extends Readonly<Record<"transactions" | "parties", Decoder>> {
  /** Other lists hold from the next record on: another pack is in force. */
  use(lists: Lists): void;
}

/** `mapping` is a file; it holds for the input whose records it makes. Throws UsageError when it has errors. */
export function createDecoders(mapping: string | undefined, lists: Lists): Decoders {
  const mapper = mapping === undefined ? undefined : readMappingFile(mapping);
  let current = decodersOf(mapper, lists);
  const passOn = (input: "transactions" | "parties"): Decoder => ({
    decodeJson: (bytes, place) => current[input].decodeJson(bytes, place),
    decodeText: (text, clean, place) => current[input].decodeText(text, clean, place),
    decodeValue: (value, place) => current[input].decodeValue(value, place),
  });
  return {
    transactions: passOn("transactions"),
    parties: passOn("parties"),
    use(next) {
      current = decodersOf(mapper, next);
    },
  };
}

function decodersOf(
  mapping: Mapping | undefined,
  { rates, vocabulary }: Lists,
): Readonly<Record<"transactions" | "parties", Decoder>> {
  const plain = createDecoder({ rates, vocabulary });
  if (mapping === undefined) return { transactions: plain, parties: plain };
  const mapped = createDecoder({ rates, vocabulary, mapping });
  return mapping.record === "party/1"
    ? { transactions: plain, parties: mapped }
    : { transactions: mapped, parties: plain };
}
