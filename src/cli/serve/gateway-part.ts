// One gateway worker as a process: its segment writer, its copy of the key directory, its HTTP server.
import { createHmac } from "node:crypto";
import { readSecret } from "../../config/secret.ts";
import type { HistogramSnapshot, MetricsSnapshot } from "../../gateway/metrics.ts";
import { startWorker } from "../../gateway/worker.ts";
import { Keyring } from "../../log/keyring.ts";
import { LogWriter } from "../../log/writer.ts";
import { END_USER_PURPOSE } from "../../state/end-user-keys.ts";
import { KeyDirectory } from "../../state/key-directory.ts";
import { openEnforcement } from "./enforcement.ts";
import type { Counters } from "./messages.ts";
import type { Part, PartContext } from "./part.ts";
import { StateSource } from "./state-source.ts";

/** 132 bits: no two upstream keys ever meet in one account. */
const ACCOUNT_HASH_CHARS = 22;

export async function start({ name, config, log }: PartContext): Promise<Part> {
  const keys = await Keyring.open({ folder: config.data });
  const writer = await LogWriter.open({
    folder: config.data,
    writer: name,
    keys,
    segmentBytes: config.log.segmentBytes,
    onFailure: (error) => log.error({ code: error.code, err: error }, "the log can't be written"),
  });
  if (writer.recovery !== null)
    log.warn({ recovery: writer.recovery }, "the last run was cut; its tail is kept");
  const source = await StateSource.open({ name, config, keys, log });
  const state = source.current;
  const directory = await KeyDirectory.open(state, {
    endUserMaster: keys.purposeKey(END_USER_PURPOSE),
    onFailure: (error) =>
      log.error({ err: error }, "keys could not be refreshed; the last known ones stay in use"),
  });
  const enforcement = await openEnforcement({
    ...{ config: config.respond, state, directory, writer, log },
    shared: () => source.shared,
  });
  source.onReturn((shared) => {
    directory.follow(shared);
    enforcement.follow(shared);
  });
  const upstreamKeys = keys.purposeKey("upstream-keys");
  const worker = await startWorker({
    config: config.gateway,
    writer,
    directory,
    log,
    readSecret,
    measures: enforcement.measures,
    appeals: enforcement.appeals,
    accountOfUpstreamKey: (secret) => `upstream-${keyedHash(upstreamKeys, secret)}`,
  });
  const { host } = config.gateway.listen;
  return {
    detail: `http://${host.includes(":") ? `[${host}]` : host}:${worker.port}`,
    counters: () => ({ ...flat(worker.metrics.snapshot()), log_healthy: writer.healthy ? 1 : 0 }),
    close: async () => {
      await worker.close();
      enforcement.close();
      directory.close();
      await source.close();
      await writer.close();
      keys.close();
    },
  };
}

/** An account's name that can't be turned back into the key, nor computed without this installation's secret. */
function keyedHash(key: Uint8Array, secret: string): string {
  return createHmac("sha256", key).update(secret).digest("base64url").slice(0, ACCOUNT_HASH_CHARS);
}

/** A worker's figures under the names that `/metrics` shows; histograms as count and sum. */
function flat(metrics: MetricsSnapshot): Counters {
  const histogram = (name: string, { count, sumMs }: HistogramSnapshot): Counters => ({
    [`${name}_count`]: count,
    [`${name}_sum`]: sumMs,
  });
  return {
    requests_total: metrics.requests,
    request_bytes_total: metrics.requestBytes,
    response_bytes_total: metrics.responseBytes,
    exchanges_complete_total: metrics.complete,
    exchanges_aborted_total: metrics.aborted,
    exchanges_upstream_failed_total: metrics.upstreamFailed,
    exchanges_refused_total: metrics.refused,
    exchanges_unrecorded_total: metrics.unrecorded,
    exchanges_cut_for_log_total: metrics.cutForLog,
    clients_left_early_total: metrics.leftEarly,
    exchanges_in_flight: metrics.inFlight,
    buffered_bytes: metrics.bufferedBytes,
    ...histogram("latency_ms", metrics.latency),
    ...histogram("first_byte_ms", metrics.firstByte),
    ...histogram("close_wait_ms", metrics.closeWait),
  };
}
