/** What intake needs to know beside the record itself. */
import type { Rates } from "../domain/money.ts";
import type { Zones } from "../domain/time.ts";

/** Words that the institution allows in classified fields; a set that is missing allows all. */
export interface FieldVocabulary {
  readonly merchantClasses?: ReadonlySet<string>;
  readonly memoClasses?: ReadonlySet<string>;
  readonly segments?: ReadonlySet<string>;
  readonly industries?: ReadonlySet<string>;
  readonly occupationGroups?: ReadonlySet<string>;
}

/** What intake needs to know beside the record itself. */
export interface IntakeContext {
  readonly rates: Rates;
  readonly zones: Zones;
  readonly vocabulary: FieldVocabulary;
}

/** Where a record stood, as far as decoding it depends on that. */
export interface RecordPlace {
  /** Epoch ms that its times may not lie ahead of: the timestamp of its message. */
  readonly asOf?: number | undefined;
  /** 1-based number of the data row in its file, without headers and empty lines. */
  readonly row?: number | undefined;
  /** 1-based line in its file. */
  readonly line?: number | undefined;
}
