/**
 * The names of everything that Palermo keeps in Redis, in one place. All keys of a views partition share the hash
 * tag `{p<partition>}`, hence one slot of a Redis Cluster, so that one function may change them together.
 */
import type { Lane } from "./port.ts";

export interface PartitionKeys {
  /** Hash: owner, next, fingerprint, pack, layout. */
  readonly meta: string;
  /** Hash: source -> `offset:index`. */
  readonly seen: string;
  /** Lists of sequence and value, oldest first. */
  readonly lanes: Readonly<Record<Lane, string>>;
  /** What an entity key is put behind. */
  readonly entityPrefix: string;
}

/** What every key begins with: keeps deployments that share a server apart. */
export function namespaceOf(prefix: string, tenant: string): string {
  return prefix === "" ? tenant : `${prefix}:${tenant}`;
}

/** Keys of one partition. */
export function partitionKeys(namespace: string, partition: number): PartitionKeys {
  const base = `${namespace}:{p${partition}}:`;
  return {
    meta: `${base}meta`,
    seen: `${base}seen`,
    lanes: { alerts: `${base}out:alerts`, marks: `${base}out:marks` },
    entityPrefix: `${base}e:`,
  };
}

/** Hash of one stage (`intake`, `screen`): partition -> how far it is in event time. */
export function progressKey(namespace: string, stage: string): string {
  return `${namespace}:progress:${stage}`;
}

/** Neither may carry a hash tag of its own, which would send all partitions to one slot. */
export function checkNames(prefix: string, tenant: string): void {
  for (const [what, name] of Object.entries({ prefix, tenant })) {
    if (/[{}\s]/.test(name))
      throw new Error(`${what} ${JSON.stringify(name)} of the Redis keys: braces and spaces are not allowed`);
  }
}
