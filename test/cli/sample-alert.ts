/** Fictional alerts for tests of the readable page and of the settled form. */
import type { Alert, Evidence } from "../../src/domain/alert.ts";

/** A number with three listed movements. */
export function sampleEvidence(over: Partial<Evidence> = {}): Evidence {
  return {
    measure: "agg.people",
    observed: "4",
    comparison: ">=",
    threshold: "3",
    unit: "count",
    exact: true,
    from: "2026-03-01T09:00:00.000Z",
    to: "2026-03-15T09:00:00.000Z",
    count: 9,
    listed: [
      { txId: "t-1", at: "2026-03-02T10:05:00.000Z", amount: "900.00", why: "first" },
      { txId: "t-7", at: "2026-03-14T22:40:00.000Z", amount: "1250.00", why: "last" },
      { txId: "t-7", at: "2026-03-14T22:40:00.000Z", amount: "1250.00", why: "largest" },
      { txId: "t-5", at: "2026-03-11T12:00:00.000Z", amount: "450.00", why: "crossed" },
    ],
    ledger: [{ from: "2026-03-02T00:00:00.000Z", to: "2026-03-03T00:00:00.000Z", count: 9 }],
    ...over,
  };
}

/** A complete, valid alert on a person who may be a victim. */
export function sampleAlert(over: Partial<Alert> = {}): Alert {
  const source = { kind: "account" as const, token: "k1.CAROLACCOUNT" };
  return {
    schema: "alert/1",
    alertId: "a-0001",
    revision: 2,
    event: "escalated",
    cause: "evidence",
    tenant: "default",
    status: "active",
    alertClass: "protected",
    typology: {
      id: "HT-SX",
      version: 1,
      title: "Pattern consistent with sexual exploitation for gain",
      crime: "human_trafficking",
      sources: [{ doc: "FINTRAC-2016-OA003", point: "third-party cash deposits in several cities" }],
    },
    packHash: "0f".repeat(32),
    subject: { kind: "party", token: "k1.CAROL", ref: "C-1029", own: true },
    parties: [
      { kind: "party", token: "k1.CAROL", role: "victim", confidence: "low", basis: "role of HT-FUNNEL-02" },
      { kind: "account", token: "k1.PAYEE", role: "organiser", confidence: "medium", basis: "receives the sweep" },
      { kind: "party", token: "k1.OTHER", role: "unknown", confidence: "low", basis: "paid in" },
    ],
    severity: "high",
    score: 65,
    openedAt: "2026-03-02T10:05:00.000Z",
    updatedAt: "2026-03-14T22:40:00.000Z",
    explanation: "Three families of red flags within 30 days: movement, receipts, advertising.",
    why: {
      families: [
        { name: "movement", points: 25, capped: false, indicators: ["funnel"] },
        { name: "receipts", points: 20, capped: false, indicators: ["p2p"] },
        { name: "advertising", points: 20, capped: false, indicators: ["ads"] },
      ],
      reductions: [{ name: "long_known", points: -5 }],
      clauses: ["several", "core"],
      openedBy: ["several", "core"],
      raisedBy: ["advertising"],
    },
    indicators: [
      {
        ruleId: "HT-FUNNEL-02",
        version: 1,
        title: "Third-party cash deposits at several places away from home",
        source,
        family: "movement",
        first: "2026-03-02T10:05:00.000Z",
        last: "2026-03-14T22:40:00.000Z",
        explanation: "4 different people paid cash into this account at 3 places more than 100 km from its home area.",
        sources: [{ doc: "FINTRAC-2016-OA003", point: "third-party cash deposits in several cities" }],
        cautions: ["charity collection tins"],
        evidence: [
          sampleEvidence(),
          sampleEvidence({
            measure: "agg.total",
            unit: "money",
            observed: "12700.00",
            threshold: "3000.00",
            exact: false,
          }),
        ],
      },
    ],
    marks: [
      {
        ruleId: "HT-P2PIN-01",
        crime: "human_trafficking",
        root: { kind: "account", token: "k1.ROOT" },
        flow: "downstream",
        distance: 2,
        about: "2026-03-10T08:00:00.000Z",
        amount: "1800.00",
        viaTx: "t-9",
      },
    ],
    cautions: ["Small traders with agents in several towns look alike.", "Charity collection tins."],
    victimPossible: true,
    handling: { queue: "specialist", doNotNameAsSubject: true, note: "Specialist queue only." },
    sla: { class: "victim", withinHours: 24 },
    narrativeDraft: "Since 2026-01-05 12:00 account k1.a shows one red flag.",
    lists: [],
    filing: { codes: ["FinCEN-SAR 927"], keyTerms: ["HUMAN TRAFFICKING FIN-2020-A008"] },
    related: [{ alertId: "a-0002", relation: "same_party" }],
    changes: ["family advertising joined", "severity rose from medium to high"],
    ...over,
  };
}
