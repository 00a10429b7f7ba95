// The page that verifies a bundle in a browser with the network off. Everything from a bundle is shown as text only.
import { type ByteSource, readingAhead } from "../src/evidence/verify/byte-source.ts";
import { certificatesOf, isEncrypted } from "../src/evidence/verify/inputs.ts";
import { BUNDLE_FAULTS, type Proved, type Verdict } from "../src/evidence/verify/verdict.ts";
import { verifyBundle } from "../src/evidence/verify/verify-bundle.ts";
import { visible } from "../src/evidence/visible-text.ts";

/** Policies and certificates are a few kilobytes. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;

const WORDS: Readonly<Record<Verdict["verdict"], { title: string; text: string }>> = {
  verified: {
    title: "Verified",
    text: "Everything in this bundle holds under the policy you gave.",
  },
  consistent: {
    title: "Consistent, but not anchored",
    text: "Everything in this bundle holds. But whose log it is rests on the bundle's own word: get the trust policy on another way, choose it above, and check again.",
  },
  rejected: {
    title: "Rejected",
    text: "This bundle was changed, is incomplete, or is not what the policy asks for.",
  },
};

function element<K extends keyof HTMLElementTagNameMap>(name: K, id: string): HTMLElementTagNameMap[K] {
  const found = document.getElementById(id);
  if (found === null || found.localName !== name) throw new TypeError(`expected <${name} id="${id}">`);
  return found as HTMLElementTagNameMap[K];
}

function add(parent: HTMLElement, name: string, text: string, className = ""): HTMLElement {
  const child = document.createElement(name);
  child.textContent = text;
  if (className !== "") child.className = className;
  parent.append(child);
  return child;
}

/** Longest the page goes without looking at what its user does, ms. */
const TURN_MS = 40;
/** Every file is read once for the zip, once for the bag and once for what it says. */
const PASSES = 3;

/** Lets the page live: a message comes after what waits already and, unlike a timer, also where the tab is not in front. */
function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** `onRead` hears now and then which part of all reading is done. */
function sourceOf(file: File, onRead: (share: number) => void): ByteSource {
  const ahead = readingAhead({
    size: file.size,
    read: async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
  });
  let turnMs = performance.now();
  let bytes = 0;
  return {
    size: file.size,
    read: async (offset, length) => {
      bytes += length;
      if (performance.now() - turnMs > TURN_MS) {
        onRead(Math.min(1, bytes / (PASSES * file.size)));
        await nextTurn();
        turnMs = performance.now();
      }
      return await ahead.read(offset, length);
    },
  };
}

/** The small file that was chosen in an input; null: none was. */
async function chosen(id: string): Promise<Uint8Array | null> {
  const file = element("input", id).files?.[0];
  if (file === undefined) return null;
  if (file.size > MAX_TEXT_BYTES) throw new RangeError(`${file.name} is too large to be what it should be`);
  return new Uint8Array(await file.arrayBuffer());
}

async function check(): Promise<void> {
  const bundle = element("input", "bundle").files?.[0];
  if (bundle === undefined) return;
  const progress = element("p", "progress");
  const bar = element("progress", "bar");
  const result = element("section", "result");
  result.replaceChildren();
  delete result.dataset["verdict"];
  progress.textContent = "Reading …";
  bar.value = 0;
  bar.hidden = false;
  let words = "Reading …";
  const onRead = (share: number): void => {
    bar.value = share;
    progress.textContent = words;
  };
  try {
    const source = sourceOf(bundle, onRead);
    if (await isEncrypted(source))
      throw new TypeError("It is encrypted to its recipient, who must decrypt it first (age --decrypt).");
    const policy = await chosen("policy");
    const roots = await chosen("roots");
    const verdict = await verifyBundle(source, {
      policy,
      timestampRoots: roots === null ? undefined : certificatesOf(roots),
      onProgress: (done, total) => {
        words = `Checked ${done} of ${total} records`;
      },
    });
    show(result, verdict);
  } catch (error) {
    add(result, "h2", "The file could not be read");
    add(result, "p", visible(error instanceof Error ? error.message : String(error)));
  } finally {
    progress.textContent = "";
    bar.hidden = true;
  }
}

function show(result: HTMLElement, verdict: Verdict): void {
  const { title, text } = WORDS[verdict.verdict];
  result.dataset["verdict"] = verdict.verdict;
  add(result, "h2", title, verdict.verdict);
  add(result, "p", text);
  if (verdict.reasons.length > 0) showReasons(result, verdict);
  if (verdict.proved !== null) showProved(result, verdict.proved);
}

function showReasons(result: HTMLElement, { reasons, reasonCount }: Verdict): void {
  add(result, "h3", reasonCount === 1 ? "The reason" : `The reasons (${reasonCount})`);
  const list = add(result, "ul", "");
  for (const { code, path, detail } of reasons) {
    const item = add(list, "li", "");
    add(item, "code", code);
    const meaning: string = Object.hasOwn(BUNDLE_FAULTS, code)
      ? BUNDLE_FAULTS[code as keyof typeof BUNDLE_FAULTS]
      : "The file itself is damaged or not in the form of a bundle.";
    add(item, "span", ` ${meaning} `);
    add(item, "small", visible(`${path ?? "the whole bundle"}: ${detail}`));
  }
}

const grouped = (value: number): string => value.toLocaleString("en-GB");

function showProved(result: HTMLElement, proved: Proved): void {
  add(result, "h3", "What is in it, and proved");
  const { recordsErased: erased } = proved;
  const facts = add(result, "dl", "");
  const rows: [string, string][] = [
    ["Case", `${proved.case}: ${proved.title}`],
    ["Exported", proved.exported],
    ["Log", `${proved.origin}, ${grouped(proved.logSize)} records`],
    ["Signed by", proved.keys.join(", ")],
    ["Witnesses", proved.witnesses.join(", ") || "none asked for by the policy"],
    ["Timestamps", proved.timestamps.join(", ") || "none in the bundle"],
    ["Exchanges", grouped(proved.exchanges)],
    ["Records", `${grouped(proved.records)}, each proved to be in the log`],
    [
      "Fields",
      `${grouped(proved.fieldsOpened)} shown and proved, ${grouped(proved.fieldsWithheld)} withheld`,
    ],
    ["Erased", erased === 0 ? "none" : `${grouped(erased)} records, each with the entry that says why`],
    ["Chain of custody", `${proved.custodyEntries} entries without a gap`],
    ["Findings", `${proved.findings} (opinions, not facts)`],
  ];
  for (const [name, value] of rows) {
    add(facts, "dt", name);
    add(facts, "dd", visible(value, 400));
  }
}

for (const id of ["bundle", "policy", "roots"])
  element("input", id).addEventListener("change", () => {
    void check();
  });
