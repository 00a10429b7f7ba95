// The seal path in a process of its own, for a test that fails or kills it at single system calls.
import { writeSync } from "node:fs";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { close, open } from "./helper.ts";

/** Enough for several steps, a full bundle, and more than one segment. */
const ROUNDS = 4;
const EXCHANGES_A_ROUND = 40;
const SEGMENT_BYTES = 16_384;

const [folder = ""] = process.argv.slice(2);
const keys = await Keyring.open({ folder });
const writer = await LogWriter.open({
  ...{ folder, keys, writer: "gateway-0", segmentBytes: SEGMENT_BYTES, recoverEveryMs: 0 },
});
const ledger = await Ledger.open({ folder, keys });

/** Says what was acknowledged once it was; synchronous, so that it has left this process before it can be killed. */
async function acknowledge(name: string, durable: Promise<void>): Promise<void> {
  await durable.then(
    () => void writeSync(1, `${name}\n`),
    () => {},
  );
}

for (let round = 0; round < ROUNDS; round++) {
  if (!writer.healthy) await writer.recover().catch(() => {});
  const waiting: Promise<void>[] = [];
  for (let n = 0; n < EXCHANGES_A_ROUND; n++) {
    const id = `${round}-${n}`;
    const account = `account-${round}-${n % 3}`; // new ones, so that keys are made and saved on the way
    waiting.push(acknowledge(`open ${id}`, writer.append(open(id, `asked ${id}`, account)).durable));
    waiting.push(acknowledge(`close ${id}`, writer.append(close(id, `told ${id}`, account)).durable));
  }
  await Promise.all(waiting);
  await ledger.step().catch(() => {});
}
await writer.close().catch(() => {});
ledger.close();
keys.close();
