// A writer or a ledger in a process of its own, for the crash test to kill.
import { writeSync } from "node:fs";
import { NODE_DISK } from "../../src/log/disk.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { close, failingDisk, open, SMALL_SEGMENT } from "./helper.ts";

/** Kept in flight at once. */
const IN_FLIGHT = 8;

async function write(folder: string, name: string, round: string): Promise<void> {
  const keys = await Keyring.open({ folder });
  const writer = await LogWriter.open({ folder, keys, writer: name, segmentBytes: SMALL_SEGMENT });
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const n = next++;
      const id = `${name}-${round}-${n}`;
      await writer.append(open(id, "q".repeat(n % 3000), `account-${n % 50}`)).durable;
      writeSync(1, `open ${id}\n`); // synchronous: what was acknowledged has left this process before it can be killed
      await writer.append(close(id, "a".repeat(n % 700), `account-${n % 50}`)).durable;
      writeSync(1, `close ${id}\n`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function seal(folder: string): Promise<void> {
  const keys = await Keyring.open({ folder });
  const ledger = await Ledger.open({ folder, keys, intervalMs: 5 });
  writeSync(1, "ready\n");
  await ledger.run(new AbortController().signal);
}

/** Seals until call `at` of the disk, which the process does not live to see. */
async function sealUntil(folder: string, at: number): Promise<void> {
  const keys = await Keyring.open({ folder });
  let calls = 0;
  const disk = failingDisk(NODE_DISK, () => {
    calls += 1;
    if (calls === at) process.kill(process.pid, "SIGKILL");
    return null;
  });
  const ledger = await Ledger.open({ folder, keys, disk });
  for (;;) await ledger.step();
}

const [role = "", folder = "", name = "", round = ""] = process.argv.slice(2);
if (role === "ledger") await seal(folder);
else if (role === "ledger-until") await sealUntil(folder, Number(name));
else await write(folder, name, round);
