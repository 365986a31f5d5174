import { expect, test } from "vitest";
import { routeEvent, routeProfile, routeTx } from "../../src/intake/route.ts";
import { decode, movement, txOf } from "./support.ts";

test("views of a movement carry its time, its id and a running number", () => {
  const tx = txOf(movement());
  const views = routeTx(tx);
  expect(views.map(({ index }) => index)).toEqual([0, 1]);
  for (const view of views) {
    expect(view).toMatchObject({ kind: "tx", time: tx.time, txId: "t1", hop: 0, source: "" });
    expect(view.tx).toBe(tx);
  }
});

test("an entity has one view for each direction", () => {
  const shared = [
    { kind: "phone", token: "F" },
    { kind: "phone", token: "F" },
  ];
  const views = routeTx(
    txOf(
      movement({
        debtor: { kind: "account", account: "A", links: shared },
        creditor: { kind: "account", account: "A", links: shared },
      }),
    ),
  );
  expect(views.map(({ direction, entity }) => `${direction} ${entity}`)).toEqual([
    "out account:A",
    "out phone:F",
    "in account:A",
    "in phone:F",
  ]);
});

test("a profile is told to its entity from the day it holds", () => {
  const decoded = decode({ schema: "party/1", party: "P", validFrom: "2026-01-01T00:00:00Z" });
  if (decoded.kind !== "profile") throw new Error(decoded.kind);
  expect(routeProfile(decoded.profile)).toEqual([
    {
      kind: "profile",
      entity: "party:P",
      time: Date.UTC(2026, 0, 1),
      txId: "",
      hop: 0,
      source: "",
      index: 0,
      profile: decoded.profile,
    },
  ]);
});

test("an event is told to its entity", () => {
  const entity = { kind: "account", token: "A" };
  const decoded = decode({
    schema: "event/1",
    eventId: "e",
    occurredAt: "2026-01-01T00:00:00Z",
    type: "login",
    entity,
  });
  if (decoded.kind !== "event") throw new Error(decoded.kind);
  expect(routeEvent(decoded.event)).toMatchObject([{ kind: "event", entity: "account:A", txId: "e" }]);
});
