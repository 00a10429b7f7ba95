// What a tick costs while every detector runs beside it and rows are taken in, as in the analyst on a busy hour.
import { setTimeout as sleep } from "node:timers/promises";
import type { Watch } from "../../src/detect/hunt.ts";
import type { Store } from "../../src/store/store.ts";

export interface Beside {
  readonly ticks: number;
  /** Of the largest, from when it was due: a judge that holds the thread makes it late. */
  readonly slowestTickSeconds: number;
  readonly runSeconds: number;
  readonly rowsInserted: number;
}

const EVERY_MS = 1_000;
const MAX_TICKS = 30;
/** Rows taken in each second meanwhile: more than the largest world has in a real second. */
const ROWS_AT_ONCE = 5_000;
/** Rows go into a copy, so that a kept store stays what it was. */
const CREATE_COPY = "CREATE TABLE rows_beside AS exchange_features";
const INSERT_COPY = `INSERT INTO rows_beside SELECT * FROM exchange_features LIMIT ${ROWS_AT_ONCE}`;
const DROP_COPY = "DROP TABLE IF EXISTS rows_beside SYNC";

/** A tick each second until all detectors have run once more, one `Watch` after the other; at most thirty. */
export async function ticksBeside(store: Store, watches: readonly Watch[], nowMs: number): Promise<Beside> {
  await store.execute(DROP_COPY);
  await store.execute(CREATE_COPY);
  const began = performance.now();
  let isOver = false;
  const running = (async () => {
    for (const watch of watches) await watch.run(nowMs, { everything: true });
    isOver = true;
    return (performance.now() - began) / 1000;
  })();
  let [ticks, slowestMs, rowsInserted] = [0, 0, 0];
  const inserts: Promise<void>[] = [];
  for (
    let dueMs = began;
    !isOver && ticks < MAX_TICKS;
    dueMs = Math.max(dueMs + EVERY_MS, performance.now())
  ) {
    await sleep(Math.max(0, dueMs - performance.now()));
    inserts.push(
      store.execute(INSERT_COPY).then(() => {
        rowsInserted += isOver ? 0 : ROWS_AT_ONCE;
      }),
    );
    for (const watch of watches) await watch.tick(nowMs);
    ticks += 1;
    slowestMs = Math.max(slowestMs, performance.now() - dueMs);
  }
  const runSeconds = await running;
  await Promise.all(inserts);
  await store.execute(DROP_COPY);
  return { ticks, slowestTickSeconds: slowestMs / 1000, runSeconds, rowsInserted };
}
