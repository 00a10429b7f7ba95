// Timestamps in a bundle: each is a token of an outside authority over a checkpoint that the bundle's log contains.

import { utf8 } from "../../core/bytes.ts";
import type { Checkpoint } from "../../core/checkpoint.ts";
import { parseNote } from "../../core/note.ts";
import type { Policy } from "../../core/policy.ts";
import type { TimestampCrypto } from "../../core/timestamp/crypto.ts";
import { verifyTimestamp } from "../../core/timestamp/verify.ts";
import type { BundleFiles } from "./bundle-files.ts";
import { placeOf, stampPaths } from "./layout.ts";
import { checkGrowth, openUnder } from "./log-evidence.ts";
import type { Reasons } from "./verdict.ts";

/** Tokens looked at; an export writes a few. */
const MAX_STAMPS = 64;

export interface StampTrust {
  /** Root certificates, DER, that the reader brought; null: those in the bundle, on its own word. */
  readonly roots: readonly Uint8Array[] | null;
  readonly crypto: TimestampCrypto;
}

/** What the tokens say, one line each, in the order of their numbers; what is wrong with one goes into `reasons`. */
export async function checkTimestamps(
  files: BundleFiles,
  { policy, last }: { policy: Policy; last: Checkpoint },
  trust: StampTrust,
  reasons: Reasons,
): Promise<string[]> {
  const numbers = files.paths.flatMap((path) => {
    const place = placeOf(path);
    return place?.kind === "timestamp" ? [place.number] : [];
  });
  const said: string[] = [];
  if (numbers.length > MAX_STAMPS)
    reasons.add("timestamp-refused", null, `more than ${MAX_STAMPS} timestamps`);
  for (const number of numbers.slice(0, MAX_STAMPS)) {
    const line = await checkOne(files, { number, policy, last }, trust, reasons);
    if (line !== null) said.push(line);
  }
  return said;
}

async function checkOne(
  files: BundleFiles,
  { number, policy, last }: { number: number; policy: Policy; last: Checkpoint },
  { roots, crypto }: StampTrust,
  reasons: Reasons,
): Promise<string | null> {
  const { token, checkpoint, consistency, root } = stampPaths(number);
  const note = await files.read(checkpoint);
  const stamped = openUnder(policy, note, { path: checkpoint, quorum: false });
  await checkGrowth(files, { from: stamped, to: last, path: consistency }, reasons);
  const own = await files.read(root);
  const parsed = parseNote(note);
  const message = utf8("fault" in parsed ? "" : parsed.text);
  const trusted = (roots ?? [own]).map((certificate) => ({ certificate }));
  const verified = await verifyTimestamp(await files.read(token), { message, roots: trusted }, crypto);
  if ("fault" in verified) {
    reasons.add("timestamp-refused", token, verified.fault);
    return null;
  }
  const time = new Date(verified.timeMs).toISOString();
  const word = roots === null ? ", its root on the bundle's own word" : "";
  return `${time} ± ${verified.accuracyMs} ms on ${stamped.size} records, by ${verified.authority}${word}`;
}
