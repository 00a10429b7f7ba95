// What `adyton verify` does: opens the file, verifies, prints the verdict.
import { open, readFile } from "node:fs/promises";
import { readingAhead } from "../../evidence/verify/byte-source.ts";
import { certificatesOf, isEncrypted } from "../../evidence/verify/inputs.ts";
import type { Proved, Verdict } from "../../evidence/verify/verdict.ts";
import { verifyBundle } from "../../evidence/verify/verify-bundle.ts";
import { CliError, EXIT } from "../errors.ts";
import { count, type Output } from "../output.ts";
import type { VerifyCommandOptions } from "./options.ts";

/** @throws CliError `usage` when a file can't be read */
export async function runVerify(
  output: Output,
  bundle: string,
  options: VerifyCommandOptions,
): Promise<void> {
  const policy =
    options.policy === undefined ? null : await readable(options.policy, (path) => readFile(path));
  const roots: Uint8Array[] = [];
  for (const path of options.timestampRoot)
    roots.push(...certificatesOf(await readable(path, (name) => readFile(name))));
  const file = await readable(bundle, (path) => open(path, "r"));
  const progress = output.progress("verifying", null);
  try {
    const source = readingAhead({
      size: (await file.stat()).size,
      read: async (offset, length) => {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      },
    });
    if (await isEncrypted(source))
      throw new CliError(
        "usage",
        `expected a bundle, got one that is encrypted to its recipient: ${DECRYPT}`,
      );
    const verdict = await verifyBundle(source, {
      policy,
      timestampRoots: roots.length === 0 ? undefined : roots,
      onProgress: (done) => progress.update(done),
    });
    progress.end();
    output.result(verdict, () => print(output, verdict));
    if (verdict.verdict === "rejected") process.exitCode = EXIT.checkFailed;
    else if (verdict.verdict === "consistent") process.exitCode = EXIT.ownWord;
  } finally {
    progress.end();
    await file.close();
  }
}

async function readable<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  try {
    return await use(path);
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CliError("usage", `expected a file that can be read, got ${path} (${reason})`, { cause });
  }
}

const DECRYPT = "decrypt it first, such as by age --decrypt -i key.txt -o bundle.zip bundle.zip.age";

const WORDS: Readonly<Record<Verdict["verdict"], string>> = {
  verified: "VERIFIED: everything in the bundle holds under the policy you gave.",
  consistent:
    "CONSISTENT: everything in the bundle holds, but whose log it is rests on the bundle's own word. Get the policy on another way, and verify with --policy.",
  rejected: "REJECTED: the bundle was changed, is incomplete, or is not what the policy asks for.",
};

function print(output: Output, verdict: Verdict): void {
  output.line(WORDS[verdict.verdict]);
  for (const { code, path, detail } of verdict.reasons)
    output.line(`${code}: ${path === null ? "" : `${path}: `}${detail}`);
  if (verdict.reasonCount > verdict.reasons.length)
    output.line(`… and ${verdict.reasonCount - verdict.reasons.length} more reasons`);
  if (verdict.proved !== null) printProved(output, verdict.proved);
}

function printProved(output: Output, proved: Proved): void {
  const { recordsErased: erased } = proved;
  output.line();
  output.pairs([
    ["case", `${proved.case}: ${proved.title}`],
    ["exported", proved.exported],
    ["log", `${proved.origin}, ${count(proved.logSize)} records`],
    ["signed by", proved.keys.join(", ")],
    ["witnesses", proved.witnesses.join(", ") || "none asked for"],
    ["timestamps", proved.timestamps.join(", ") || "none in the bundle"],
    ["records", `${count(proved.records)} of ${count(proved.exchanges)} exchanges and of acts, each proved`],
    ["fields", `${count(proved.fieldsOpened)} shown and proved, ${count(proved.fieldsWithheld)} withheld`],
    ["erased", erased === 0 ? "none" : `${count(erased)} records, each with its tombstone`],
    ["custody", `${proved.custodyEntries} entries without a gap`],
    ["findings", proved.findings],
  ]);
}
