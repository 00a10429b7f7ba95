import assert from "node:assert/strict";
import { test } from "node:test";
import { componentsOf } from "../../src/cli/serve/components.ts";
import type { ProcessStatus } from "../../src/cli/serve/messages.ts";

function worker(state: ProcessStatus["state"]): ProcessStatus {
  return { name: "gateway-0", role: "gateway", pid: 1, state, startedAtMs: 0, restarts: 0, lastExit: null };
}

function wellness(state: ProcessStatus["state"], counters: Record<string, number>): Record<string, boolean> {
  const components = componentsOf({
    type: "status",
    processes: [worker(state)],
    counters: { "gateway-0": counters },
  });
  return Object.fromEntries(components.map(({ name, ok }) => [name, ok]));
}

test("a worker that is up and records is well", () => {
  assert.deepEqual(wellness("ready", { log_healthy: 1, exchanges_unrecorded_total: 0 }), {
    "gateway-0": true,
    "gateway-0 log": true,
  });
});

test("a worker whose log can't be written is not well, although it is up", () => {
  assert.equal(wellness("ready", { log_healthy: 0, exchanges_unrecorded_total: 0 })["gateway-0 log"], false);
});

test("exchanges served without a record stay visible after the log has recovered", () => {
  assert.equal(wellness("ready", { log_healthy: 1, exchanges_unrecorded_total: 7 })["gateway-0 log"], false);
});

test("a worker that waits to be started again is not well", () => {
  assert.equal(wellness("waiting-to-restart", {})["gateway-0"], false);
});
