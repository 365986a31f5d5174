/**
 * The closed sets of words that describe customers, merchants and payment texts. An operator's
 * `vocabulary.yaml` replaces the sets that it names; intake rejects other words and rules cannot name them.
 */
import type { Findings } from "./diagnostics.ts";
import type { Domain } from "./expression/types.ts";
import { asMap, checkKeys, checkName, type Keys } from "./shape.ts";
import type { MapNode } from "./source.ts";

/** Sets by what they describe; a missing one is open. */
export interface Vocabulary {
  readonly merchantClasses: ReadonlySet<string>;
  readonly memoClasses?: ReadonlySet<string>;
  readonly segments?: ReadonlySet<string>;
  readonly industries?: ReadonlySet<string>;
  readonly occupationGroups?: ReadonlySet<string>;
}

export const MERCHANT_CLASSES = [
  "ads_classified",
  "adult_services",
  "lodging",
  "restaurant",
  "fast_food",
  "grocery",
  "rent",
  "utilities",
  "travel_agency",
  "airline",
  "ride",
  "fuel",
  "pharmacy",
  "beauty",
  "clothing",
  "gift_card",
  "prepaid",
  "telecom",
  "crypto_exchange",
  "gambling",
  "money_transfer",
  "charity",
  "electronics",
  "other",
] as const;

/** What holds without a vocabulary file. */
export const VOCABULARY_DEFAULT: Vocabulary = { merchantClasses: new Set(MERCHANT_CLASSES) };

/** Merchant category codes that never carry weight: religious, charitable and clothing shops (proxies). */
export const WEIGHTLESS_MCC: ReadonlySet<string> = new Set(["8661", "8398", "5621", "5631"]);

const KEYS: Keys = {
  schema: "required",
  version: "required",
  segment: "optional",
  industry: "optional",
  occupation_group: "optional",
  merchant_class: "optional",
  memo_class: "optional",
};

/** Reads a vocabulary file. */
export function readVocabulary(root: MapNode, findings: Findings): Vocabulary {
  checkKeys(root, KEYS, "a vocabulary", findings);
  const words = (key: string): ReadonlySet<string> | undefined => {
    const value = root.byKey.get(key)?.value;
    const map = value && asMap(value, `\`${key}\``, findings);
    if (map === undefined) return undefined;
    const out = new Set<string>();
    for (const entry of map.entries) {
      if (checkName(entry.key, `a word of \`${key}\``, findings)) out.add(entry.key.text);
      const of = asMap(entry.value, `\`${entry.key.text}\``, findings);
      const keys: Keys = { meaning: "required", owner: "optional", approved: "optional" };
      if (of !== undefined) checkKeys(of, keys, "a word", findings);
    }
    return out;
  };
  const segments = words("segment");
  const industries = words("industry");
  const occupationGroups = words("occupation_group");
  const memoClasses = words("memo_class");
  return {
    merchantClasses: words("merchant_class") ?? VOCABULARY_DEFAULT.merchantClasses,
    ...(memoClasses && { memoClasses }),
    ...(segments && { segments }),
    ...(industries && { industries }),
    ...(occupationGroups && { occupationGroups }),
  };
}

/** Words of a domain that an operator's vocabulary closes; undefined: open. */
export function wordsOf(vocabulary: Vocabulary, domain: Domain): ReadonlySet<string> | undefined {
  switch (domain) {
    case "merchant_class":
      return vocabulary.merchantClasses;
    case "memo_class":
      return vocabulary.memoClasses;
    case "segment":
      return vocabulary.segments;
    case "industry":
      return vocabulary.industries;
    case "occupation_group":
      return vocabulary.occupationGroups;
    default:
      return undefined;
  }
}
