/**
 * The whole pipeline after intake in one process with its state in memory: what replay, tests and
 * tuning drive. Derived views are delivered hop by hop in total order, before the next movement.
 */
import type { Alert } from "../domain/alert.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { EntityEvent, Profile } from "../domain/profile.ts";
import type { Tx } from "../domain/tx.ts";
import { compareViews, type HitView, type MarkView, type View } from "../domain/view.ts";
import { routeEvent, routeProfile, routeTx } from "../intake/route.ts";
import type { Pack } from "../rules/plan.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { HitRecord, Output, Verdict } from "./outputs.ts";
import type { Entity } from "./state.ts";

export interface EmbeddedEvents {
  alert(alert: Alert): void;
  hit(hit: HitRecord): void;
  verdict(view: View, verdict: Verdict): void;
}

export interface EmbeddedOptions {
  /** Entities are known for longer than every window before their first view: what inline tests assume. */
  readonly warm?: boolean;
  /** See `EngineOptions.tailKeep`; 32 unless a test wants another. */
  readonly tailKeep?: number;
}

export interface Embedded {
  readonly engine: Engine;
  /** From here on another pack is in force: an entity goes over to it with its next view. */
  usePack(pack: Pack): void;
  pushTx(tx: Tx): void;
  pushProfile(profile: Profile): void;
  pushEvent(event: EntityEvent): void;
  /** A view as it is, such as a hit that a test assumes. */
  pushView(view: View): void;
  /** Entities known. */
  readonly entities: number;
  entity(key: EntityKey): Entity | undefined;
  /** Keys of all entities, in the order of their first view. */
  keys(): Iterable<EntityKey>;
}

/**
 * Views that a settled tail may hold in memory, and how many more for each recent event. Moving the base encodes the
 * whole state: with 8 views that was a quarter of a replay of 600,000 transactions over 20,000 accounts, with 32 still
 * an eighth of one over 5,000, whose accounts hold more.
 */
const TAIL_KEEP = 32;
const TAIL_SHARE = 0.25;

/** Makes a pipeline over a pack. */
export function createEmbedded(pack: Pack, events: EmbeddedEvents, options: EmbeddedOptions = {}): Embedded {
  const create = (of: Pack): Engine =>
    createEngine(of, {
      tailKeep: options.tailKeep ?? TAIL_KEEP,
      tailShare: options.tailKeep === undefined ? TAIL_SHARE : 0,
      warm: options.warm ?? false,
    });
  let engine = create(pack);
  const entities = new Map<EntityKey, Entity>();
  /** Engines of entities that have not gone over to the pack in force. */
  const behind = new Map<EntityKey, Engine>();
  const outputs: Output[] = [];
  const pending: (HitView | MarkView)[] = [];

  const find = (key: EntityKey): Entity => {
    let entity = entities.get(key);
    const former = behind.size === 0 ? undefined : behind.get(key);
    if (entity !== undefined && former === undefined) return entity;
    entity = entity === undefined || former === undefined ? engine.newEntity(key) : engine.adopt(entity, former);
    behind.delete(key);
    entities.set(key, entity);
    return entity;
  };
  const give = (view: View): void => {
    const verdict = engine.apply(find(view.entity), view, outputs);
    if (verdict !== "judged") events.verdict(view, verdict);
    if (outputs.length > 0) release(outputs, events, pending);
  };
  const drain = (): void => {
    let hop = 0;
    while (pending.length > 0) {
      const level = nextLevel(pending, hop);
      hop = (level[0] as HitView | MarkView).hop;
      for (const view of level) give(view);
    }
  };
  const push = (views: readonly View[]): void => {
    for (const view of views) give(view);
    if (pending.length > 0) drain();
  };
  return {
    get engine() {
      return engine;
    },
    usePack(next) {
      for (const key of entities.keys()) if (!behind.has(key)) behind.set(key, engine);
      engine = create(next);
    },
    pushTx: (tx) => push(routeTx(tx)),
    pushProfile: (profile) => push(routeProfile(profile)),
    pushEvent: (event) => push(routeEvent(event)),
    pushView: (view) => push([view]),
    get entities() {
      return entities.size;
    },
    entity: (key) => entities.get(key),
    keys: () => entities.keys(),
  };
}

/**
 * Takes the views to deliver next. As long as hops only grow, those of one hop go together in total order, so that
 * nobody has to fold again. After a refold (an earlier hop, something taken back) it is first in, first out: what an
 * entity says later of a thing must not be overtaken by what it said before.
 */
function nextLevel(pending: (HitView | MarkView)[], reached: number): (HitView | MarkView)[] {
  const first = pending[0] as HitView | MarkView;
  if (pending.some((view) => view.off || view.hop < first.hop || view.hop < reached)) return pending.splice(0, 1);
  const others = pending.findIndex((view) => view.hop !== first.hop);
  return pending.splice(0, others < 0 ? pending.length : others).sort(compareViews);
}

function release(outputs: Output[], events: EmbeddedEvents, pending: (HitView | MarkView)[]): void {
  for (const output of outputs) {
    if (output.kind === "alert") events.alert(output.alert);
    else if (output.kind === "hit") events.hit(output.hit);
    else pending.push(output.view);
  }
  outputs.length = 0;
}
