// The ledger as a process: seals what every writer wrote, and once more when it is asked to stop.
import { DataFolder } from "../../config/data-folder.ts";
import type { StampAlgorithm } from "../../core/timestamp/algorithms.ts";
import { Cosigning } from "../../log/cosigning.ts";
import { NODE_DISK } from "../../log/disk.ts";
import { Eraser } from "../../log/eraser.ts";
import { ErasureJournal } from "../../log/erasure-journal.ts";
import type { LogError } from "../../log/errors.ts";
import { Keyring } from "../../log/keyring.ts";
import { Ledger } from "../../log/ledger.ts";
import { Retention } from "../../log/retention.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { timestampAuthorities } from "../../log/timestamp-client.ts";
import { TimestampFiles } from "../../log/timestamp-files.ts";
import { Timestamping } from "../../log/timestamping.ts";
import { witnessEndpoints } from "../../log/witness-client.ts";
import { LogWriter } from "../../log/writer.ts";
import { recorderOf } from "../act.ts";
import type { Counters } from "./messages.ts";
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
  const beside = { keys, ledger, signal: stop.signal };
  const cosigning = await startCosigning({ config, log }, beside);
  const timestamping = await startTimestamping({ config, log }, beside);
  const retention = await startRetention({ config, log }, beside);
  return {
    detail: `${ledger.size} records sealed`,
    counters: () => ({
      ledger_records_sealed: ledger.size,
      ...cosigning.counters(),
      ...timestamping.counters(),
    }),
    close: async () => {
      stop.abort();
      await Promise.all([running, cosigning.ended, timestamping.ended, retention.ended]);
      await sealRest(ledger);
      ledger.close();
      keys.close();
    },
  };
}

/** Something that goes on beside the sealing. */
interface Running {
  readonly counters: () => Counters;
  readonly ended: Promise<void>;
}

interface Beside {
  readonly keys: Keyring;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

const IDLE: Running = { counters: () => ({}), ended: Promise.resolve() };
const DAY_MS = 86_400_000;
/** A few records a day. */
const ACT_SEGMENT_BYTES: number = 1024 * 1024;

/** Asks the configured witnesses beside the sealing; without any there is nothing to do and nothing to count. */
async function startCosigning(
  { config, log }: Pick<PartContext, "config" | "log">,
  { keys, ledger, signal }: Beside,
): Promise<Running> {
  const { origin, witnesses: configured, witnessQuorum: quorum } = config.log;
  if (configured.length === 0) return IDLE;
  const witnesses = witnessEndpoints(configured);
  const trusted = witnesses.flatMap((witness) => witness.keys);
  const sealed = await SealedLog.open({ folder: config.data, keys, origin, witnesses: trusted });
  const cosigning = new Cosigning({
    log: sealed,
    publish: (note, options) => ledger.addCosignatures(note, options),
    witnesses,
    quorum,
    everyMs: config.log.witnessEveryMs,
    timeoutMs: config.log.witnessTimeoutMs,
    onError: (error) => log.warn({ code: error.code, err: error }, "a witness did not cosign"),
  });
  const counters = (): Counters => {
    const { size, cosignatures, quorumSize, failures } = cosigning.status;
    return {
      ledger_witness_quorum: quorum,
      ledger_witness_cosignatures: cosignatures,
      ledger_witness_below_quorum: size > 0 && cosignatures < quorum ? 1 : 0,
      ledger_records_witnessed: quorumSize,
      ledger_witness_failures_total: failures,
    };
  };
  return { counters, ended: cosigning.run(signal).finally(() => sealed.close()) };
}

/** Asks the configured authorities for the time beside the sealing. */
async function startTimestamping(
  { config, log }: Pick<PartContext, "config" | "log">,
  { keys, signal }: Beside,
): Promise<Running> {
  const { origin, timestamps } = config.log;
  const authorities = await timestampAuthorities(timestamps.authorities);
  if (authorities.length === 0) return IDLE;
  const sealed = await SealedLog.open({ folder: config.data, keys, origin });
  const { everyMs, timeoutMs, renewBeforeDays, retire } = timestamps;
  const timestamping = new Timestamping({
    log: sealed,
    files: new TimestampFiles(NODE_DISK, new DataFolder(config.data).timestamps),
    authorities,
    everyMs,
    timeoutMs,
    renewBeforeMs: renewBeforeDays * DAY_MS,
    retireMs: new Map(Object.entries(retire).map(([name, day]) => [name as StampAlgorithm, Date.parse(day)])),
    onError: (error) => log.warn({ code: error.code, err: error }, "no timestamp"),
  });
  const counters = (): Counters => {
    const { size, timeMs, stamps, failures } = timestamping.status;
    return {
      ledger_records_timestamped: size,
      ledger_timestamp_seconds: Math.floor(timeMs / 1000),
      ledger_timestamps: stamps,
      ledger_timestamp_failures_total: failures,
    };
  };
  return { counters, ended: timestamping.run(signal).finally(() => sealed.close()) };
}

/** Erases by age, where the configuration says so. */
async function startRetention(
  { config, log }: Pick<PartContext, "config" | "log">,
  { keys, signal }: Beside,
): Promise<Running> {
  const { origin, retentionDays: days } = config.log;
  if (days === null) return IDLE;
  const folder = new DataFolder(config.data);
  const [root, onError] = [
    folder.root,
    (error: LogError) => log.error({ code: error.code, err: error }, "not erased by age"),
  ];
  const writer = await LogWriter.open({
    folder: root,
    keys,
    writer: "retention",
    segmentBytes: ACT_SEGMENT_BYTES,
  });
  const sealed = await SealedLog.open({ folder: root, keys, origin });
  const journal = await ErasureJournal.open(folder.erasures);
  const record = recorderOf(writer, { by: "system" });
  const eraser = new Eraser({ folder: root, keys, origin, log: sealed, journal, record });
  const retention = new Retention({ days, log: sealed, journal, eraser, onError });
  const ended = retention.run(signal).finally(async () => {
    journal.close();
    sealed.close();
    await writer.close();
  });
  return { counters: () => ({ ledger_records_erased_by_age: retention.erased }), ended };
}

/** The writers have stopped by now: what they left is sealed, so that a stopped installation has no loose ends. */
async function sealRest(ledger: Ledger): Promise<void> {
  while ((await ledger.step()).sealed > 0);
}
