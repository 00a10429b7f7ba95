// A log with a fleet and its honest neighbours, a case about the fleet, and its export: what the tests of evidence work on.
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeDraft, openDraft } from "../../src/cli/import/drafts.ts";
import { DataFolder } from "../../src/config/data-folder.ts";
import { type ActRecorder, actDraft } from "../../src/core/acts.ts";
import { hex, utf8 } from "../../src/core/bytes.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { formatPolicy } from "../../src/core/policy.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { formatVerifierKey } from "../../src/core/verifier-key.ts";
import { type ExportResult, exportCase } from "../../src/evidence/export-case.ts";
import type { ExportOptions } from "../../src/evidence/export-options.ts";
import type { InstallationKeys, KeyStore } from "../../src/log/key-store.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { State } from "../../src/state/state.ts";
import { fleetScene, type Scene } from "../helpers/fleet.ts";

export const TOOL = "adyton 0.0.0-test";
const END_MS = Date.UTC(2026, 9, 10);

export interface CaseScene {
  readonly folder: string;
  readonly keys: Keyring;
  readonly log: SealedLog;
  readonly state: State;
  readonly writer: LogWriter;
  readonly scene: Scene;
  readonly policy: string;
  readonly caseId: string;
  readonly record: ActRecorder;
  seal(): Promise<void>;
  /** Exports the case; returns the result and the bundle's bytes. */
  export(options?: Partial<ExportOptions>): Promise<{ result: ExportResult; bytes: Buffer }>;
  end(): Promise<void>;
}

/** Keys without the post-quantum pair: their signatures are short, and so are bundles. Made for one test run. */
export function shortKeys(): KeyStore {
  const pair = generateKeyPairSync("ed25519");
  const privateKey = createPrivateKey(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  const publicKey = Buffer.from(String(pair.publicKey.export({ format: "jwk" }).x), "base64url");
  const keys: InstallationKeys = {
    node: "00000000000000aa",
    kek: randomBytes(32),
    pseudonymKey: randomBytes(32),
    signer: { publicKey, sign: async (message) => sign(null, message, privateKey) },
    postQuantumSigner: null,
    former: [],
  };
  const fixed = async (): Promise<never> => {
    throw new TypeError("expected no rotation of keys made for one test");
  };
  return { load: async () => keys, prepareNext: fixed, activateNext: fixed };
}

export interface SceneOptions {
  readonly days?: number;
  readonly perDay?: number;
  readonly store?: KeyStore;
  /** What goes into the case: the fleet's finding, or one exchange. */
  readonly about?: "fleet" | "one-exchange";
}

export async function caseScene(options: SceneOptions = {}): Promise<CaseScene> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-evidence-"));
  await DataFolder.create(folder);
  const keys = await Keyring.open({
    folder,
    ...(options.store === undefined ? {} : { store: options.store }),
  });
  const writer = await LogWriter.open({ folder, keys, writer: "test", segmentBytes: 1024 * 1024 });
  const ledger = await Ledger.open({ folder, keys });
  const log = await SealedLog.open({ folder, keys });
  const state = await State.open({ folder });
  const scene = fleetScene(END_MS, { days: options.days ?? 2, perDay: options.perDay ?? 2 });
  const record: ActRecorder = async (acts) => {
    const drafts = acts.map((act) => actDraft(act, { by: "cli:ada", timeMs: END_MS }));
    await Promise.all(drafts.map((draft) => writer.append(draft).durable));
  };
  const seal = async (): Promise<void> => {
    while ((await ledger.step()).more);
  };
  await state.accounts.ensureAll(scene.facts, { record });
  for (const exchange of scene.exchanges) {
    writer.append(openDraft(exchange));
    await writer.append(closeDraft(exchange)).durable;
  }
  await seal();
  const policy = formatPolicy({
    logs: keys.verifierKeys().map((key) => ({ vkey: formatVerifierKey(key), url: null })),
    witnesses: [],
    quorum: 0,
  });
  const caseId = await openCase({ state, record, log, scene, about: options.about ?? "fleet" });
  let exports = 0;
  const common: Omit<ExportOptions, "out"> = {
    ...{ state, record, log, seal, caseId, policy, tool: TOOL, by: "cli:ada", key: "the key" },
    pseudonymOf: (account) => keys.pseudonymOf(account),
    withheld: new Map(),
    sinceMs: null,
    untilMs: null,
    recipients: [],
    stamps: [],
    recordsOnly: false,
    witnessed: false,
    clock: () => performance.now(),
    now: () => END_MS,
  };
  return {
    ...{ folder, keys, log, state, writer, scene, policy, caseId, record, seal },
    export: async (chosen = {}) => {
      const out = join(folder, `bundle-${exports++}.zip`);
      const result = await exportCase({ ...common, out, ...chosen });
      return { result, bytes: await readFile(chosen.out ?? out) };
    },
    end: async () => {
      await writer.close();
      ledger.close();
      log.close();
      await state.close();
      keys.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openCase(parts: {
  state: State;
  record: ActRecorder;
  log: SealedLog;
  scene: Scene;
  about: "fleet" | "one-exchange";
}): Promise<string> {
  const { state, record, log, scene, about } = parts;
  const { size, note } = await log.checkpoint();
  const facts = {
    title: "A fleet",
    purpose: "enforce the terms of use",
    authority: "terms of use, section 4",
    custodian: "Ada",
    jurisdiction: "not stated",
    tlp: "AMBER",
  } as const;
  const doer = { by: "cli:ada", tool: TOOL };
  const { id } = await state.cases.open(facts, { ...doer, log: { size, checkpoint: note } }, { record });
  if (about === "one-exchange") {
    const on = scene.exchanges[0]?.id ?? "";
    await state.cases.add(id, { what: "exchange-added", on, result: "one exchange" }, doer, { record });
    return id;
  }
  const [finding] = scene.findings;
  if (finding === undefined) throw new TypeError("expected a finding in the scene");
  const opinion = {
    detector: finding.detector,
    version: 1,
    maturity: "experimental",
    configuration: "00".repeat(32),
    calibration: "honest customers of the same kind",
    assumptions: ["customers choose their prompts on their own"],
    falsePositives: ["one class that does one exercise"],
    knownGaps: [],
    errorRate: finding.errorRate,
  };
  const snapshot = canonicalJson({ finding, opinion });
  const digest = hex(sha256(utf8(snapshot)));
  const draft = { what: "finding-added", on: finding.id, result: "14 accounts", digest, snapshot } as const;
  await state.cases.add(id, draft, doer, { record });
  const text = "One buyer behind all of them? <script>alert(1)</script>";
  await state.cases.add(id, { what: "hypothesis", on: id, result: "written", text }, doer, { record });
  return id;
}
