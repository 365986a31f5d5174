/**
 * The topics as an AsyncAPI 3.0 document: what an institution sends, what case systems receive, under which key and
 * with which headers. `scripts/make-schema.mjs` writes it to `schema/asyncapi.json`; payloads are those beside it.
 */
import { type TopicNames, topicNames } from "../stream/topics.ts";

interface Channel {
  readonly topic: Exclude<keyof TopicNames, "views" | "profiles" | "packs">;
  readonly about: string;
  /** Palermo receives what others send, or sends what others receive. */
  readonly action: "receive" | "send";
  readonly key: string;
  readonly messages: readonly (keyof typeof MESSAGES)[];
}

const CLOUD_EVENT = { $ref: "#/components/schemas/cloudEventHeaders" };

const MESSAGES = {
  transaction: { title: "A movement of money", payload: "./tx-1.json" },
  event: { title: "An event without money", payload: "./event-1.json" },
  party: { title: "What is known of a party or an account", payload: "./party-1.json" },
  alert: { title: "One revision of an alert, whole", payload: "./alert-1.json", headers: CLOUD_EVENT },
  alertStub: {
    title: "That a protected alert has a new revision",
    payload: "./alert-stub-1.json",
    headers: CLOUD_EVENT,
  },
  rejected: { title: "A record that was not screened, and why", payload: undefined },
} as const;

const CHANNELS: readonly Channel[] = [
  {
    topic: "transactions",
    about: "Movements and events, in any key; a mapping file takes other shapes.",
    action: "receive",
    key: "any",
    messages: ["transaction", "event"],
  },
  {
    topic: "parties",
    about: "Profiles, dated; may be compacted.",
    action: "receive",
    key: "party or account",
    messages: ["party"],
  },
  {
    topic: "alerts",
    about: "Alerts; of two records with one alertId the higher revision holds. Kept by time, never compacted.",
    action: "send",
    key: "token of the subject; of a stub its alertId",
    messages: ["alert", "alertStub"],
  },
  {
    topic: "protected",
    about: "Alerts in which a victim is possible by nature, under an ACL of their own.",
    action: "send",
    key: "token of the subject",
    messages: ["alert"],
  },
  {
    topic: "shadow",
    about: "Alerts of rules on trial.",
    action: "send",
    key: "token of the subject",
    messages: ["alert"],
  },
  {
    topic: "rejected",
    about: "What was not screened: place, length, hash, code and field; its bytes only where configured.",
    action: "send",
    key: "topic:partition of the input",
    messages: ["rejected"],
  },
];

const CLOUD_EVENT_HEADERS = {
  type: "object",
  description: "CloudEvents 1.0, Kafka binding in binary mode, and two headers of Palermo.",
  properties: {
    ce_specversion: { const: "1.0" },
    ce_id: { type: "string", description: "alertId/revision: a repeat has the same" },
    ce_type: { type: "string", enum: ["palermo.alert.v1", "palermo.alert-stub.v1"] },
    ce_source: { type: "string", description: "/palermo/TENANT" },
    ce_subject: { type: "string", description: "Token of the subject; a stub has none" },
    ce_time: { type: "string", format: "date-time", description: "Event time of the newest evidence" },
    "content-type": { const: "application/json" },
    sequence: { type: "string", description: "Orders the revisions of a subject across rebuilds" },
    detectedat: { type: "string", format: "date-time", description: "First publication: service levels count from it" },
  },
};

/** The document as text, for topics with their default names. */
export function asyncApiText(version: string): string {
  const names = topicNames({ prefix: "palermo.", transactions: "transactions", transactionsPartitions: 4 });
  const messages = Object.entries(MESSAGES).map(([id, message]) => [
    id,
    {
      name: id,
      title: message.title,
      contentType: "application/json",
      ...("headers" in message ? { headers: message.headers } : {}),
      payload: message.payload === undefined ? { type: "object" } : { $ref: message.payload },
    },
  ]);
  const channels = CHANNELS.map((channel) => [
    channel.topic,
    {
      address: names[channel.topic],
      description: channel.about,
      messages: Object.fromEntries(channel.messages.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
      bindings: { kafka: { topic: names[channel.topic], bindingVersion: "0.5.0" } },
    },
  ]);
  const operations = CHANNELS.map(({ topic, action, key }) => [
    `${action}${topic.charAt(0).toUpperCase()}${topic.slice(1)}`,
    { action, channel: { $ref: `#/channels/${topic}` }, description: `Kafka key: ${key}.` },
  ]);
  const document = {
    asyncapi: "3.0.0",
    info: { title: "Palermo", version, license: { name: "Apache-2.0" } },
    defaultContentType: "application/json",
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: { messages: Object.fromEntries(messages), schemas: { cloudEventHeaders: CLOUD_EVENT_HEADERS } },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
