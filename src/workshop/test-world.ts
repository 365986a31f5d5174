/**
 * The world of one inline test: its movements go through intake, routing, the fold and the typologies of the
 * pack, and what opens on the watched entity is seen.
 */
import { DAY_MS } from "../base/limits.ts";
import type { Alert } from "../domain/alert.ts";
import { type EntityKey, type EntityKind, entityKey } from "../domain/entity.ts";
import { parseTime, type Zones } from "../domain/time.ts";
import { createDecoder } from "../intake/decode.ts";
import type { Lists } from "../rules/lists.ts";
import type { CompiledRule, Pack } from "../rules/plan.ts";
import { createEmbedded, type Embedded } from "../screen/embedded.ts";
import type { HitRecord } from "../screen/outputs.ts";
import { expandEvents, profileRecords, SUBJECT_ACCOUNT, SUBJECT_PARTY, TEST_START, type TestEvent } from "./events.ts";
import { compareExpected, type Observed } from "./expectations.ts";
import { peerProblems } from "./given-peers.ts";
import type { Packs } from "./packs.ts";
import { hitView, markView } from "./tellings.ts";
import type { GivenTelling, RuleTests, TestFault, TestSpec } from "./test-spec.ts";

/** What one inline test saw of the watched entity. */
export interface TestOutcome {
  /** Empty: the test passed. */
  readonly problems: readonly string[];
  readonly hits: readonly Observed[];
  readonly alerts: readonly Observed[];
}

/** Runs one test of a rule. Nothing is thrown for what stands in the test. */
export function runTest(packs: Packs, rule: RuleTests, test: TestSpec): TestOutcome {
  const faults: TestFault[] = [];
  const peers = { ruleId: rule.ruleId, peers: test.given.peers };
  const { pack, lists, diagnostics } = packs.load(test.given.lists, peers);
  if (pack === undefined) return failed(diagnostics.map(({ message }) => `given.lists: ${message}`));
  const compiled = pack.rules.find(({ id }) => id === rule.ruleId);
  if (compiled === undefined)
    return failed([`the pack has no rule ${rule.ruleId} in force: is it a draft or retired?`]);
  for (const id of test.given.lists.keys()) {
    if (lists.get(id) === undefined)
      faults.push({ line: test.line, message: `given.lists: the pack has no list "${id}"` });
  }
  for (const message of peerProblems(pack, peers)) faults.push({ line: test.line, message });
  const world = createWorld(packs.zones, pack, lists, compiled, test);
  const defaults = { scope: rule.scope, homeCell: test.given.profile.get("homeCell") };
  const events = expandEvents(test.events, defaults, faults);
  for (const record of profileRecords(test.given.profile, faults)) world.profile(record);
  for (const step of timeline(events, test.given.tellings)) {
    if (step.kind === "telling") world.tell(step.telling, faults);
    else world.movement(step.event);
  }
  const problems = [
    ...faults.map(({ line, message }) => `line ${line}: ${message}`),
    ...world.problems,
    ...(test.hits === undefined ? [] : compareExpected("hit", test.hits, world.hits)),
    ...(test.alerts === undefined ? [] : compareExpected("alert", test.alerts, world.alerts)),
    ...(test.hits === undefined && test.alerts === undefined ? ["the test expects nothing: name hits or alerts"] : []),
  ];
  return { problems, hits: world.hits, alerts: world.alerts };
}

function failed(problems: readonly string[]): TestOutcome {
  return { problems, hits: [], alerts: [] };
}

type Step =
  | { readonly kind: "telling"; readonly time: number; readonly telling: GivenTelling }
  | { readonly kind: "event"; readonly time: number; readonly event: TestEvent };

/** Everything in order of time; what is given comes before a movement of the same instant. */
function timeline(events: readonly TestEvent[], tellings: readonly GivenTelling[]): Step[] {
  const steps: Step[] = [
    ...tellings.map((telling) => ({ kind: "telling" as const, time: TEST_START + telling.atMs, telling })),
    ...events.map((event) => ({ kind: "event" as const, time: event.time, event })),
  ];
  return steps.sort((a, b) => a.time - b.time);
}

/** The pipeline of one test, with what was seen of the watched entity. */
interface World {
  readonly hits: Observed[];
  readonly alerts: Observed[];
  readonly problems: string[];
  profile(record: object): void;
  movement(event: TestEvent): void;
  tell(telling: GivenTelling, faults: TestFault[]): void;
}

function createWorld(zones: Zones, pack: Pack, lists: Lists, rule: CompiledRule, test: TestSpec): World {
  const watched = watchedEntities(rule.subject);
  const hits: Observed[] = [];
  const alerts: Observed[] = [];
  const problems: string[] = [];
  let current = 0;
  const embedded = createEmbedded(
    pack,
    {
      hit(hit) {
        if (hit.ruleId === rule.id && hit.event === "opened" && watched.has(hit.entity))
          hits.push(observedHit(hit, current));
      },
      alert(alert) {
        const subject = entityKey(alert.subject.kind, alert.subject.token);
        if (alert.typology.id === rule.id && watched.has(subject)) alerts.push(observedAlert(alert, current));
      },
      verdict(view, verdict) {
        if (verdict === "too_late" || verdict === "conflict")
          problems.push(`${view.txId} was not screened: ${verdict}`);
      },
    },
    { warm: test.given.historyMs === undefined },
  );
  const decoder = createDecoder({ rates: lists.rates, asOf: TEST_START + FAR_AHEAD_MS, zones });
  giveHistory(embedded, watched, test.given.historyMs);
  const decode = (record: object, what: string) => {
    const decoded = decoder.decodeJson(JSON.stringify(record));
    if (decoded.kind === "tx") embedded.pushTx(decoded.tx);
    else if (decoded.kind === "profile") embedded.pushProfile(decoded.profile);
    else if (decoded.kind === "reject") {
      const { code, field, expected, found } = decoded.reject;
      problems.push(`${what} was rejected (${code}): ${field}: expected ${expected}, found ${found}`);
    }
  };
  return {
    hits,
    alerts,
    problems,
    profile: (record) => decode(record, "given.profile"),
    movement(event) {
      current = event.index;
      decode(event.record, `event ${event.index}`);
    },
    tell(telling, faults) {
      current = 0;
      const told = pack.rules.find(({ id }) => id === telling.rule);
      if (told === undefined) faults.push({ line: telling.line, message: `no rule has the id ${telling.rule}` });
      else
        for (const entity of watched)
          embedded.pushView(telling.kind === "hit" ? hitView(telling, told, entity) : markView(telling, told, entity));
    },
  };
}

/** Tests stand at a fixed instant; nothing in them is in the far future. */
const FAR_AHEAD_MS = 4_000 * DAY_MS;

/** The entity that a test watches: the subject's account, its holder, or the one link that `phone:` names. */
function watchedEntities(subject: EntityKind): ReadonlySet<EntityKey> {
  if (subject === "party") return new Set([entityKey("party", SUBJECT_PARTY)]);
  return new Set([entityKey(subject, SUBJECT_ACCOUNT)]);
}

/** `given.history`: the entity is known since then, and no longer. */
function giveHistory(embedded: Embedded, watched: ReadonlySet<EntityKey>, historyMs: number | undefined): void {
  if (historyMs === undefined || historyMs === 0) return;
  for (const entity of watched) {
    const time = TEST_START - historyMs;
    embedded.pushEvent({ id: "history", entity, type: "tick", time, device: undefined, country: undefined });
    const known = embedded.entity(entity);
    if (known !== undefined) known.work.since = time;
  }
}

function observedHit(hit: HitRecord, current: number): Observed {
  const { start, explanation } = hit;
  return {
    event: "opened",
    atEvent: current,
    atMs: start - TEST_START,
    explanation,
    severity: undefined,
    score: undefined,
  };
}

function observedAlert(alert: Alert, current: number): Observed {
  const { event, explanation, severity, score } = alert;
  return { event, atEvent: current, atMs: parseTime(alert.updatedAt) - TEST_START, explanation, severity, score };
}
