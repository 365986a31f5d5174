/**
 * Inline tests of a rule file as data: `tests:` is read with the places it stands at, every key is checked,
 * and every fault is collected, because a misspelt key would otherwise make a test that cannot fail.
 */
import { createFindings } from "../rules/diagnostics.ts";
import { parseDurationMs } from "../rules/literals.ts";
import { type FileTrees, treeOf } from "../rules/load.ts";
import { lineAndColumn, type MapNode, type SourceFile, type SourceNode, shorten } from "../rules/source.ts";
import type { GivenPeers } from "./given-peers.ts";

export const TEST_KINDS = ["fires", "near_miss", "look_alike"] as const;
export type TestKind = (typeof TEST_KINDS)[number];

/** One entry of `events`: each key with the values that its repetitions cycle through. */
export interface EventSpec {
  readonly line: number;
  readonly atMs: number;
  readonly everyMs: number;
  readonly times: number;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** A hit or mark that the subject is told of without movements that would cause it. */
export interface GivenTelling {
  readonly line: number;
  readonly kind: "hit" | "mark";
  readonly rule: string;
  readonly atMs: number;
  /** Hits: the entity that has it; marks: the root. */
  readonly from: string | undefined;
  readonly flow: "upstream" | "downstream";
  readonly distance: number;
  /** Of marks: date of the flow followed; default `atMs`. */
  readonly aboutMs: number | undefined;
}

/** What one hit or alert must be; a key left out is not compared. */
export interface ExpectedItem {
  readonly atEvent: number | undefined;
  readonly atMs: number | undefined;
  readonly explain: string | undefined;
  readonly severity: string | undefined;
  readonly score: number | undefined;
  readonly event: string | undefined;
}

/** `count` alone, or one item for each. */
export interface Expected {
  readonly count: number;
  readonly items: readonly ExpectedItem[] | undefined;
}

export interface TestSpec {
  readonly name: string;
  readonly kind: TestKind;
  readonly line: number;
  readonly given: {
    /** How long the entities have been known at the first event; undefined: longer than every window. */
    readonly historyMs: number | undefined;
    readonly profile: ReadonlyMap<string, string>;
    /** Entries in place of a list's own, as YAML text. */
    readonly lists: ReadonlyMap<string, string>;
    /** Percentiles of peers in place of those that were measured. */
    readonly peers: GivenPeers;
    readonly tellings: readonly GivenTelling[];
  };
  readonly events: readonly EventSpec[];
  readonly hits: Expected | undefined;
  readonly alerts: Expected | undefined;
}

/** Something wrong with a test itself. */
export interface TestFault {
  readonly line: number;
  readonly message: string;
}

export interface RuleTests {
  readonly file: string;
  readonly ruleId: string;
  readonly kind: "indicator" | "typology";
  readonly subject: string;
  /** First values of the rule's scope, which events take where they say nothing else. */
  readonly scope: ReadonlyMap<string, string>;
  readonly tests: readonly TestSpec[];
  readonly faults: readonly TestFault[];
}

/** Keys of an event that carry one value or a list that cycles. */
export const EVENT_KEYS = [
  "amount",
  "rail",
  "direction",
  "channel",
  "purpose",
  "stage",
  "conductor",
  "place",
  "country",
  "cell",
  "km_from_home",
  "self",
  "self_own",
  "self_country",
  "self_party",
  "other",
  "other_kind",
  "other_own",
  "party",
  "card",
  "wallet",
  "merchant_class",
  "mcc",
  "local_time",
  "precision",
  "balance_after",
  "nights",
  "travellers",
  "employee",
  "institution_country",
  "memo",
  "device",
  "phone",
  "relation",
] as const;

export const PROFILE_KEYS = [
  "type",
  "segment",
  "industry",
  "occupationGroup",
  "homeCell",
  "minor",
  "expectedMonthly",
  "knownSince",
  "opened",
  "product",
] as const;

/** Keys of `given`. */
export const GIVEN_KEYS = ["history", "profile", "lists", "peers", "hits", "marks"] as const;

/** Movements of one test, and of all tests of a rule: a pack is tested before it comes into force, also by itself. */
const MOVEMENTS_MAX = 2_000;
const MOVEMENTS_OF_RULE_MAX = 5_000;

/** Reads the inline tests of one rule file; undefined when the file is no rule. */
export function readRuleTests(file: SourceFile, trees: FileTrees = new Map()): RuleTests | undefined {
  const root = treeOf(file, createFindings(), trees);
  if (root === undefined || textOf(root, "schema") !== "rule/v1") return undefined;
  const reader = new Reader();
  const kind = textOf(root, "kind") === "typology" ? "typology" : "indicator";
  const scope = mapOf(root, "scope");
  const listed = root.byKey.get("tests")?.value;
  const tests = (listed?.kind === "seq" ? listed.items : []).map((node) => reader.test(node));
  return {
    file: file.path,
    ruleId: textOf(root, "id") ?? file.path,
    kind,
    subject: textOf(root, "subject") ?? (kind === "typology" ? "party" : "account"),
    scope: new Map((scope?.entries ?? []).flatMap(({ key, value }) => firstOf(value).map((word) => [key.text, word]))),
    tests: tests.filter((test) => test !== undefined),
    faults: reader.faults,
  };
}

/** Collects faults while it reads; one a rule file. */
class Reader {
  readonly faults: TestFault[] = [];
  private movementsLeft = MOVEMENTS_OF_RULE_MAX;

  test(node: SourceNode): TestSpec | undefined {
    const map = this.map(node, "a test", ["name", "kind", "given", "events", "expect"]);
    if (map === undefined) return undefined;
    const line = lineOf(map);
    const kind = TEST_KINDS.find((known) => known === textOf(map, "kind"));
    if (kind === undefined) this.fault(map, `kind must be one of ${TEST_KINDS.join(", ")}`);
    const expect = this.map(map.byKey.get("expect")?.value, "expect", ["hits", "alerts"]);
    const events = map.byKey.get("events")?.value;
    if (expect !== undefined && expect.entries.length === 0) this.fault(expect, "expect names neither hits nor alerts");
    return {
      name: textOf(map, "name") ?? `test at line ${line}`,
      kind: kind ?? "fires",
      line,
      given: this.given(map.byKey.get("given")?.value),
      events: events === undefined ? [] : this.events(events),
      hits: this.expected(expect?.byKey.get("hits")?.value),
      alerts: this.expected(expect?.byKey.get("alerts")?.value),
    };
  }

  private given(node: SourceNode | undefined): TestSpec["given"] {
    const map = node === undefined ? undefined : this.map(node, "given", GIVEN_KEYS);
    const history = map?.byKey.get("history")?.value;
    const profile = this.map(map?.byKey.get("profile")?.value, "profile", PROFILE_KEYS);
    const lists = this.map(map?.byKey.get("lists")?.value, "lists", undefined);
    const peers = this.map(map?.byKey.get("peers")?.value, "peers", undefined);
    for (const { key, value } of lists?.entries ?? []) {
      // They go into the text of a list as they stand.
      if (!sourceText(value).startsWith("[")) this.fault(value, `give the entries of ${key.text} as [ ... ]`);
    }
    return {
      historyMs: history === undefined ? undefined : this.duration(history),
      profile: new Map((profile?.entries ?? []).map((entry) => [entry.key.text, scalarText(entry.value)])),
      lists: new Map((lists?.entries ?? []).map(({ key, value }) => [key.text, sourceText(value)])),
      peers: new Map((peers?.entries ?? []).map(({ key, value }) => [key.text, this.groups(key.text, value)])),
      tellings: [
        ...this.tellings(map?.byKey.get("hits")?.value, "hit"),
        ...this.tellings(map?.byKey.get("marks")?.value, "mark"),
      ],
    };
  }

  private groups(name: string, node: SourceNode): ReadonlyMap<string, string> {
    const map = this.map(node, `the peer value ${name}`, undefined);
    if (map?.entries.length === 0)
      this.fault(node, `the peer value ${name} needs a group, such as { retail: 800 EUR }`);
    return new Map((map?.entries ?? []).map(({ key, value }) => [key.text, scalarText(value)]));
  }

  private tellings(node: SourceNode | undefined, kind: "hit" | "mark"): GivenTelling[] {
    if (node === undefined) return [];
    if (node.kind !== "seq") {
      this.fault(node, `given.${kind}s must be a list`);
      return [];
    }
    const keys = kind === "hit" ? ["rule", "at", "from"] : ["rule", "at", "from", "flow", "distance", "about"];
    return node.items.flatMap((item) => {
      const map = this.map(item, `given ${kind}`, keys);
      if (map === undefined) return [];
      const rule = textOf(map, "rule");
      if (rule === undefined) this.fault(map, `a given ${kind} needs the rule`);
      const flow = textOf(map, "flow") ?? "downstream";
      if (flow !== "downstream" && flow !== "upstream") this.fault(map, "flow is downstream or upstream");
      const about = map.byKey.get("about")?.value;
      return {
        line: lineOf(map),
        kind,
        rule: rule ?? "",
        atMs: this.duration(map.byKey.get("at")?.value),
        from: textOf(map, "from"),
        flow: flow === "upstream" ? "upstream" : "downstream",
        distance: this.whole(map.byKey.get("distance")?.value, 1),
        aboutMs: about === undefined ? undefined : this.duration(about),
      };
    });
  }

  /** None when they are more than a test may have: nothing is made of them then. */
  private events(node: SourceNode): EventSpec[] {
    if (node.kind !== "seq") {
      this.fault(node, "events must be a list");
      return [];
    }
    const events = node.items.flatMap((item) => this.event(item) ?? []);
    const movements = events.reduce((sum, { times }) => sum + times, 0);
    this.movementsLeft -= movements;
    if (movements <= MOVEMENTS_MAX && this.movementsLeft >= 0) return events;
    if (movements > MOVEMENTS_MAX) this.fault(node, `a test has at most ${MOVEMENTS_MAX} movements`);
    else this.fault(node, `the tests of a rule have at most ${MOVEMENTS_OF_RULE_MAX} movements in all`);
    return [];
  }

  private event(node: SourceNode): EventSpec | undefined {
    const map = this.map(node, "an event", ["at", "every", "times", ...EVENT_KEYS]);
    if (map === undefined) return undefined;
    const values = new Map<string, readonly string[]>();
    for (const { key, value } of map.entries) {
      if (key.text === "at" || key.text === "every" || key.text === "times") continue;
      const list = value.kind === "seq" ? value.items.map(scalarText) : [scalarText(value)];
      if (list.length === 0 || value.kind === "map") this.fault(value, `${key.text} needs a value or a list of values`);
      else values.set(key.text, list);
    }
    const every = map.byKey.get("every")?.value;
    return {
      line: lineOf(map),
      atMs: this.duration(map.byKey.get("at")?.value),
      everyMs: every === undefined ? 0 : this.duration(every),
      times: this.whole(map.byKey.get("times")?.value, 1),
      values,
    };
  }

  private expected(node: SourceNode | undefined): Expected | undefined {
    if (node === undefined) return undefined;
    if (node.kind === "scalar") return { count: this.whole(node, 0), items: undefined };
    if (node.kind === "map") {
      this.fault(node, "expected a number or a list");
      return undefined;
    }
    const items = node.items.flatMap((item) => this.expectedItem(item) ?? []);
    return { count: items.length, items };
  }

  private expectedItem(node: SourceNode): ExpectedItem | undefined {
    const map = this.map(node, "an expectation", ["at_event", "at", "explain", "severity", "score", "event"]);
    if (map === undefined) return undefined;
    const at = map.byKey.get("at")?.value;
    const atEvent = map.byKey.get("at_event")?.value;
    const score = map.byKey.get("score")?.value;
    return {
      atEvent: atEvent === undefined ? undefined : this.whole(atEvent, 1),
      atMs: at === undefined ? undefined : this.duration(at),
      explain: textOf(map, "explain"),
      severity: textOf(map, "severity"),
      score: score === undefined ? undefined : this.whole(score, 0),
      event: textOf(map, "event"),
    };
  }

  private map(node: SourceNode | undefined, what: string, keys: readonly string[] | undefined): MapNode | undefined {
    if (node === undefined) return undefined;
    if (node.kind !== "map") {
      this.fault(node, `${what} must be a mapping`);
      return undefined;
    }
    for (const { key } of node.entries) {
      if (keys !== undefined && !keys.includes(key.text)) {
        this.fault(key, `${what} has no key "${shorten(key.text)}"; it has ${keys.join(", ")}`);
      }
    }
    return node;
  }

  private duration(node: SourceNode | undefined): number {
    const text = node?.kind === "scalar" ? node.text : "0h";
    const ms = parseDurationMs(text);
    if (ms === undefined && node !== undefined)
      this.fault(node, `"${shorten(text)}" is no duration such as 36h or -5d`);
    return ms ?? 0;
  }

  private whole(node: SourceNode | undefined, otherwise: number): number {
    if (node === undefined) return otherwise;
    const text = scalarText(node);
    if (/^\d{1,6}$/.test(text)) return Number.parseInt(text, 10);
    this.fault(node, `"${shorten(text)}" is no whole number`);
    return 0;
  }

  private fault(node: SourceNode, message: string): void {
    this.faults.push({ line: lineOf(node), message });
  }
}

function lineOf(node: SourceNode): number {
  return lineAndColumn(node.source, node.start).line;
}

function textOf(map: MapNode, key: string): string | undefined {
  const value = map.byKey.get(key)?.value;
  return value?.kind === "scalar" ? value.text : undefined;
}

function mapOf(map: MapNode, key: string): MapNode | undefined {
  const value = map.byKey.get(key)?.value;
  return value?.kind === "map" ? value : undefined;
}

function firstOf(node: SourceNode): string[] {
  const first = node.kind === "seq" ? node.items[0] : node;
  return first?.kind === "scalar" ? [first.text] : [];
}

function scalarText(node: SourceNode): string {
  return node.kind === "scalar" ? node.text : "";
}

/** The text of a node as it stands in the file. */
function sourceText(node: SourceNode): string {
  return node.source.text.slice(node.start, node.end).trim();
}
