// Runs one detector: its statement on the store, its judge on the rows, its verdicts as assertions with error rates.
import type { Store } from "../store/store.ts";
import { type Assertion, figure, share } from "./assertion.ts";
import { type Detector, listParameter, numberParameter } from "./catalog.ts";
import { type AccountTake, judgeCoverage } from "./judges/coverage.ts";
import { judgeLinks, type LinkableAccount } from "./judges/linked-accounts.ts";
import { type BiasUse, judgeSweeps } from "./judges/parameter-stealing.ts";
import { groupSameHand } from "./judges/same-hand.ts";
import { judgeWordings, type WordingFamily, type WordingUse } from "./judges/shared-wording.ts";

export interface RunOptions {
  readonly nowMs: number;
  /** Declared false discovery rate of a detector's claims in one look. */
  readonly level: number;
}

/** What a hunt needs of a store: one reading statement. */
export type Readable = Pick<Store, "query">;

const DAY_MS = 86_400_000;

/** @throws StoreError, DetectError */
export async function runDetector(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const judge = JUDGES[detector.judge];
  return judge(store, detector, options);
}

type Judge = (store: Readable, detector: Detector, options: RunOptions) => Promise<Assertion[]>;

const JUDGES: Readonly<Record<Detector["judge"], Judge>> = {
  "parameter-stealing": sweeps,
  "shared-wording": wordings,
  "linked-accounts": links,
  coverage,
};

async function rowsOf<T>(store: Readable, detector: Detector, options: RunOptions): Promise<T[]> {
  const scalars = Object.entries(detector.parameters).filter(([, { value }]) => typeof value === "number");
  const parameters = Object.fromEntries(scalars.map(([name, { value }]) => [name, value]));
  const fromMs = options.nowMs - numberParameter(detector, "windowDays") * DAY_MS;
  return store.query<T>(
    detector.sql,
    { ...parameters, fromMs: Math.max(0, Math.trunc(fromMs)), nowMs: options.nowMs },
    { timeoutMs: detector.timeoutMs },
  );
}

function claim(detector: Detector): Pick<Assertion, "kind" | "detector" | "technique"> {
  return { kind: detector.kind, detector: detector.id, technique: detector.atlas };
}

async function sweeps(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<BiasUse>(store, detector, options);
  const judged = judgeSweeps(rows, {
    minSets: numberParameter(detector, "minSets"),
    minTokens: numberParameter(detector, "minTokens"),
    minNewShare: numberParameter(detector, "minNewShare"),
    hiddenSize: numberParameter(detector, "hiddenSize"),
  });
  return judged.map((sweep) => ({
    ...claim(detector),
    accounts: sweep.accounts,
    pValue: null,
    eValue: null,
    errorRate: `Signature. Of ${sweep.clean} other accounts that used token biases in the window none trips it: at most ${share(Math.min(1, 3 / Math.max(1, sweep.clean)))} of such accounts would (95 % confidence, rule of three, accounts independent).`,
    summary: `${sweep.queries} requests rotated token biases over ${sweep.prefixes.length} prompt prefix(es) and revealed ${sweep.tokens} token scores on one of them, ${share(sweep.progress)} of a hidden size of ${numberParameter(detector, "hiddenSize")}.`,
    contributions: [
      { name: "token scores revealed on one prefix", value: String(sweep.tokens) },
      { name: "upper bound of the recovered rank", value: String(sweep.rank) },
      {
        name: "estimated take",
        value: `${sweep.queries} exchanges since ${new Date(sweep.sinceMs).toISOString()}`,
      },
      { name: "exemplars", value: sweep.exemplars.join(", ") },
    ],
    anchor: sweep.prefixes[0] ?? "",
  }));
}

async function wordings(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<WordingUse>(store, detector, options);
  const families = judgeWordings(rows, {
    minAccounts: numberParameter(detector, "minAccounts"),
    minPrivateShare: numberParameter(detector, "minPrivateShare"),
    minOwnPrivateShare: numberParameter(detector, "minOwnPrivateShare"),
    hourLevels: listParameter(detector, "hourLevels"),
    alikeMargin: numberParameter(detector, "alikeMargin"),
    minLoadOdds: numberParameter(detector, "minLoadOdds"),
    setAside: numberParameter(detector, "setAside"),
    memberLevel: numberParameter(detector, "memberLevel"),
    familyOverlap: numberParameter(detector, "familyOverlap"),
  });
  const found = families.filter((family) => family.adjusted <= options.level && family.members.length > 1);
  const groups = groupSameHand(found, {
    sameLevel: numberParameter(detector, "sameLevel"),
    sameMatter: numberParameter(detector, "sameMatter"),
  });
  return groups.map((group) =>
    wordingAssertion(detector, group, { judged: families.length, level: options.level }),
  );
}

function wordingAssertion(
  detector: Detector,
  group: readonly WordingFamily[],
  { judged, level }: { readonly judged: number; readonly level: number },
): Assertion {
  const members = group.flatMap((family) => family.members);
  const oldest = members.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
  const inputs = group.reduce((sum, family) => sum + family.inputs, 0);
  const accounts = [...new Set(members.map((member) => member.account))];
  return {
    ...claim(detector),
    accounts,
    // The weakest of the grouped claims: each stands on its own.
    pValue: Math.max(...group.map((family) => family.adjusted)),
    eValue: null,
    errorRate: `False discovery rate ${share(level)} over the ${judged} wordings that several accounts shared (Benjamini-Hochberg; p-value shown is adjusted). Null: independent users of a popular wording, fitted to the other wordings.`,
    summary: `${accounts.length} accounts work through one list: ${inputs} inputs under ${group.length === 1 ? "one wording" : `${group.length} wordings`}, almost none of them ever repeated by anybody.`,
    contributions: [
      ...group.slice(0, 8).flatMap((family, index) => [
        {
          name: `persistent users (${index + 1})`,
          value: `${family.persistent} of ${family.sharers} sharers over ${family.level} or more hours, p = ${figure(family.persistence)}`,
        },
        {
          name: `likeness of topics (${index + 1})`,
          value: `between-account share ${figure(family.between)}, p = ${figure(family.likeness)}`,
        },
        {
          name: `evenness of loads (${index + 1}), no part of the claim`,
          value: `p = ${figure(family.evenness)}`,
        },
        {
          name: `wordings (${index + 1})`,
          value: `${family.affixes.length} (keyed hashes) ${family.affixes.slice(0, 5).join(", ")}`,
        },
      ]),
      {
        name: "estimated take",
        value: `${inputs} distinct inputs since ${new Date(oldest.sinceMs).toISOString()}`,
      },
    ],
    anchor: oldest.account,
  };
}

async function links(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<LinkableAccount>(store, detector, options);
  const clusters = judgeLinks(rows, {
    maxShare: numberParameter(detector, "maxShare"),
    minWeight: numberParameter(detector, "minWeight"),
    minAccounts: numberParameter(detector, "minAccounts"),
    hourLevels: listParameter(detector, "hourLevels"),
    alikeMargin: numberParameter(detector, "alikeMargin"),
    setAside: numberParameter(detector, "setAside"),
  });
  const found = clusters.filter((cluster) => cluster.adjusted <= options.level && cluster.workers.length > 1);
  return found.map((cluster) => {
    const inputs = cluster.workers.reduce((sum, worker) => sum + worker.inputs, 0);
    const oldest = cluster.workers.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
    return {
      ...claim(detector),
      accounts: cluster.workers.map((worker) => worker.account),
      pValue: cluster.adjusted,
      eValue: null,
      errorRate: `False discovery rate ${share(options.level)} over the ${clusters.length} clusters of linked accounts (Benjamini-Hochberg; p-value shown is adjusted). Null: clusters of independent customers, fitted to the other clusters and to unlinked accounts.`,
      summary: `${cluster.workers.length} of ${cluster.accounts.length} linked accounts each work through a list of their own: ${inputs} inputs, pooled.`,
      contributions: [
        { name: "links", value: cluster.links.join("; ") },
        {
          name: "list workers",
          value: `${cluster.workers.length} of ${cluster.accounts.length} over ${cluster.level} or more hours, p = ${figure(cluster.persistence)}`,
        },
        { name: "evenness of loads", value: `p = ${figure(cluster.evenness)}` },
        {
          name: "likeness of topics",
          value: `between-account share ${figure(cluster.between)}, p = ${figure(cluster.likeness)}`,
        },
        {
          name: "estimated take",
          value: `${inputs} distinct inputs since ${new Date(oldest.sinceMs).toISOString()}`,
        },
        {
          name: "exemplars",
          value: cluster.workers
            .flatMap((worker) => worker.exemplars)
            .slice(0, 5)
            .join(", "),
        },
      ],
      anchor: oldest.account,
    };
  });
}

async function coverage(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<AccountTake>(store, detector, options);
  const judged = judgeCoverage(rows, { minSingleShare: numberParameter(detector, "minSingleShare") });
  return judged
    .filter((one) => one.adjusted <= options.level)
    .map((one) => ({
      ...claim(detector),
      accounts: [one.take.account],
      pValue: one.adjusted,
      eValue: null,
      errorRate: `False discovery rate ${share(options.level)} over ${judged.length} accounts (Benjamini-Hochberg; p-value shown is adjusted). Null: its ${one.peers} peers of as many working hours, with a Pareto tail.`,
      summary: `${one.take.singles} inputs, none asked twice, over ${one.take.hours} hours brought ${figure(one.take.tokens)} answer tokens: ${figure(one.score / Math.max(1, one.runnerUp))} times the next account of its kind.`,
      contributions: [
        {
          name: "score",
          value: `${figure(one.score)}; largest among ${one.peers} peers ${figure(one.runnerUp)}; p = ${figure(one.pValue)}`,
        },
        {
          name: "estimated take",
          value: `${one.take.singles} distinct inputs, ${figure(one.take.tokens)} tokens since ${new Date(one.take.sinceMs).toISOString()}`,
        },
        { name: "exemplars", value: one.take.exemplars.join(", ") },
      ],
      anchor: one.take.account,
    }));
}
