import { createMemoryStore } from "../../src/store/memory.ts";
import { describeStore, LAYOUT } from "./conformance.ts";

describeStore("memory", async () => {
  const store = createMemoryStore(LAYOUT);
  return {
    store,
    reopen: async (layout) => store.withLayout(layout),
    flush: async () => store.flush(),
    close: () => store.close(),
  };
});
