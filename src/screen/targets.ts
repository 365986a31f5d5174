/**
 * Whom an entity's hits are told to: holders and links, named by its movements or by the profile in force.
 * One that joins is told at once of the episodes that are still known, so that a link that comes after the
 * hit is seen too.
 */
import { TAIL_MS } from "../base/limits.ts";
import { changeable } from "../base/lists.ts";
import { type EntityKey, type EntityKind, entityKey } from "../domain/entity.ts";
import type { Holder, Profile } from "../domain/profile.ts";
import type { Link } from "../domain/tx.ts";
import { type JudgeContext, profileAt } from "./context.ts";
import type { FoldSink } from "./outputs.ts";
import type { EntityState } from "./state.ts";
import { forward, ownHit } from "./tellings.ts";

/** Most holders and links that movements teach; those seen last stay. */
const TELL_TO_MAX = 16;
/** Versions of a profile that are kept: the one in force, those to come, and what a late movement may still need. */
const PROFILES_MAX = 8;

/** Entities that a hit of now is told to. */
export function targetsNow(context: JudgeContext): readonly EntityKey[] {
  return targetsAt(context.state, context.index.kind, context.now);
}

/** Whether a holder of this account is known: then the holder, not the account, is judged as a party. */
export function holderKnown(context: JudgeContext): boolean {
  return targetsNow(context).some((key) => key.startsWith("party:"));
}

/** Learns the holder and the links that a movement names on the entity's side. */
export function learnTargets(context: JudgeContext, sink: FoldSink): void {
  const { self } = context;
  const { kind } = context.index;
  if (self === undefined) return;
  if (self.party !== undefined && kind !== "party") learn(context, entityKey("party", self.party), sink);
  if (isLink(kind)) return;
  for (const link of self.links) if (link.kind !== "email") learn(context, entityKey(link.kind, link.token), sink);
}

/** Takes a profile in. It acts from its date on (`followProfiles`); one that came later acts at once. */
export function foldProfile(context: JudgeContext, profile: Profile, sink: FoldSink): void {
  const profiles = changeable(context.state.profiles);
  const late = profile.validFrom < context.now;
  const before = late ? targetsNow(context) : [];
  const at = profiles.findIndex((known) => known.validFrom >= profile.validFrom);
  if (at >= 0 && profiles[at]?.validFrom === profile.validFrom) profiles[at] = profile;
  else if (at >= 0) profiles.splice(at, 0, profile);
  else profiles.push(profile);
  dropReplaced(profiles, context.state.clock - TAIL_MS);
  context.state.profiles = profiles;
  if (late) tellNew(context, before, sink);
}

/** Tells those who join because a profile or a holder's term has begun since the entity's last view. */
export function followProfiles(context: JudgeContext, sink: FoldSink): void {
  const { state, now } = context;
  const { clock, profiles } = state;
  if (!(now > clock) || !profiles.some((profile) => beginsWithin(profile, clock, now))) return;
  tellNew(context, targetsAt(state, context.index.kind, clock), sink);
}

function targetsAt(state: EntityState, kind: EntityKind, time: number): readonly EntityKey[] {
  const profile = profileAt(state.profiles, time);
  if (profile === undefined) return state.tellTo;
  const targets = new Set(state.tellTo);
  for (const holder of profile.holders) {
    if (inForce(holder, time)) targets.add(entityKey("party", holder.party));
  }
  if (!isLink(kind)) for (const link of profile.links) addLink(targets, link);
  return [...targets];
}

function addLink(targets: Set<EntityKey>, link: Link): void {
  // E-mail addresses are no entity of their own.
  if (link.kind !== "email") targets.add(entityKey(link.kind, link.token));
}

function learn(context: JudgeContext, target: EntityKey, sink: FoldSink): void {
  const { tellTo } = context.state;
  if (tellTo[tellTo.length - 1] === target) return;
  if (tellTo.includes(target)) {
    context.state.tellTo = [...tellTo.filter((known) => known !== target), target];
    return;
  }
  const known = targetsNow(context).includes(target);
  context.state.tellTo = [...tellTo, target].slice(-TELL_TO_MAX);
  if (!known) tellKnown(context, target, sink);
}

function tellNew(context: JudgeContext, before: readonly EntityKey[], sink: FoldSink): void {
  for (const target of targetsNow(context)) if (!before.includes(target)) tellKnown(context, target, sink);
}

/** Tells one who joins of the newest episode of each rule, and of those that an account told. */
function tellKnown(context: JudgeContext, target: EntityKey, sink: FoldSink): void {
  const { state, index } = context;
  for (const prepared of index.indicators) {
    const episode = state.rules.get(prepared.index)?.episodes.at(-1);
    if (!prepared.told || episode === undefined) continue;
    sink.view(forward(context, ownHit(context, prepared, episode, []), target, "account"));
  }
  if (index.kind !== "party") return;
  for (const hit of state.hits) {
    if (hit.relation === "account") sink.view(forward(context, hit, target, "member"));
  }
}

/** Drops the versions whose successor was in force at `time` already, and the oldest beyond the cap. */
function dropReplaced(profiles: Profile[], time: number): void {
  while (profiles.length > 1 && ((profiles[1] as Profile).validFrom <= time || profiles.length > PROFILES_MAX)) {
    profiles.shift();
  }
}

function beginsWithin(profile: Profile, after: number, until: number): boolean {
  const begins = (time: number) => time > after && time <= until;
  return begins(profile.validFrom) || profile.holders.some(({ from }) => from !== undefined && begins(from));
}

function inForce(holder: Holder, time: number): boolean {
  return (holder.from === undefined || holder.from <= time) && (holder.until === undefined || holder.until > time);
}

function isLink(kind: EntityKind): boolean {
  return kind === "phone" || kind === "address" || kind === "device" || kind === "employer";
}
