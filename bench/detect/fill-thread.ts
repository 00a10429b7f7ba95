// A thread of the scale benchmark: lines of exchanges in, rows of features out as bytes, as the pump's threads do.
import { parentPort } from "node:worker_threads";
import { FEATURE_COLUMNS } from "../../src/detect/features/columns.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";
import { RowBinaryBuilder } from "../../src/store/row-binary.ts";
import { exchangeIn, KEYS } from "./fill.ts";
import type { LinesRequest, RowsReply } from "./fill-threads.ts";

parentPort?.on("message", ({ bytes, leaf }: LinesRequest) => {
  const builder = new RowBinaryBuilder(FEATURE_COLUMNS.exchange_features);
  let [next, firstMs, lastMs] = [leaf, Number.POSITIVE_INFINITY, 0];
  for (const line of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8").split("\n")) {
    if (line === "") continue;
    const exchange = exchangeIn(line);
    for (const row of rowsOf(exchange, KEYS).exchange_features) builder.add(row, next);
    next += 1;
    firstMs = Math.min(firstMs, exchange.openedAtMs);
    lastMs = Math.max(lastMs, exchange.openedAtMs);
  }
  const rows = builder.take();
  const reply: RowsReply = { rows, exchanges: next - leaf, firstMs, lastMs };
  parentPort?.postMessage(
    reply,
    rows.map((each) => each.bytes.buffer),
  );
});
