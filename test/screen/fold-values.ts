/** Folds movements of one account in order and reads a rule's aggregates at each, as a judgement would see them. */
import { entityKey } from "../../src/domain/entity.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { TxView } from "../../src/domain/view.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { JudgeContext } from "../../src/screen/context.ts";
import { advanceFlow } from "../../src/screen/flow-advance.ts";
import { foldMovement } from "../../src/screen/movement-fold.ts";
import { newState } from "../../src/screen/new-state.ts";
import { indexPack } from "../../src/screen/subject-index.ts";
import { directionOf } from "./build.ts";

export type Values = Readonly<Record<string, number | undefined>>;

/**
 * Values of the pack's only rule after each movement, by name; nothing where a movement is not judged. `read` takes the
 * place of the rule's aggregates.
 */
export function foldValues(
  pack: Pack,
  account: string,
  txs: readonly Tx[],
  read?: (context: JudgeContext) => Values,
): (Values | undefined)[] {
  const index = indexPack(pack).get("account");
  const rule = pack.rules[0];
  if (index === undefined || rule === undefined) throw new Error("no rule on accounts");
  const state = newState(pack.subjects.account);
  const context = new JudgeContext(pack);
  return txs.map((tx) => {
    const view: TxView = {
      kind: "tx",
      entity: entityKey("account", account),
      time: tx.time,
      txId: tx.id,
      hop: 0,
      source: "",
      index: 0,
      tx,
      direction: directionOf(tx, account),
    } as TxView;
    context.aim(state, index, view, tx.time);
    if (!foldMovement(context, view, false)) return undefined;
    for (const prepared of index.indicators) if (prepared.flow !== undefined) advanceFlow(context, prepared, view);
    if (read !== undefined) return read(context);
    return Object.fromEntries(rule.aggregates.map(({ name, slot }) => [name.replace("agg.", ""), context.agg(slot)]));
  });
}
