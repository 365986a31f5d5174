/**
 * Two projects: `unit` needs nothing but Node, `services` gets a real Kafka broker and a real Redis. Vitest starts
 * those only when a file of that project runs, so `npx vitest run test/rules` starts none.
 */
import { defineConfig } from "vitest/config";

const WITH_SERVICES = ["services", "store", "stream", "faults", "e2e"].map((name) => `test/${name}/**/*.test.ts`);

/** The rows of the fault matrix that take minutes: `npm run test:faults` asks for them. */
const LONG_FAULTS = process.env.PALERMO_TEST_FAULTS === "all" ? [] : ["test/faults/long/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: WITH_SERVICES,
          setupFiles: ["test/bounded-properties.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "services",
          include: WITH_SERVICES,
          exclude: LONG_FAULTS,
          globalSetup: ["test/services/setup.ts"],
          setupFiles: ["test/bounded-properties.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // One file at a time: the files share the machine's cores with the broker.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
