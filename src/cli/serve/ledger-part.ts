// The ledger as a process: seals what every writer wrote, and once more when it is asked to stop.
import { Keyring } from "../../log/keyring.ts";
import { Ledger } from "../../log/ledger.ts";
import type { Part, PartContext } from "./part.ts";

export async function start({ config, log }: PartContext): Promise<Part> {
  const keys = await Keyring.open({ folder: config.data });
  const ledger = await Ledger.open({
    folder: config.data,
    keys,
    origin: config.log.origin,
    intervalMs: config.log.checkpointEveryMs,
    onError: (error) => log.error({ code: error.code, err: error }, "sealing failed; it is tried again"),
  });
  const stop = new AbortController();
  const running = ledger.run(stop.signal);
  return {
    detail: `${ledger.size} records sealed`,
    counters: () => ({ ledger_records_sealed: ledger.size }),
    close: async () => {
      stop.abort();
      await running;
      await sealRest(ledger);
      ledger.close();
      keys.close();
    },
  };
}

/** The writers have stopped by now: what they left is sealed, so that a stopped installation has no loose ends. */
async function sealRest(ledger: Ledger): Promise<void> {
  while ((await ledger.step()).sealed > 0);
}
