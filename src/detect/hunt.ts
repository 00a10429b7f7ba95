// One look at the store by all detectors, as of a given time: the same code live, replayed and in the detectors' cases.
import { createHash } from "node:crypto";
import type { Finding } from "../core/finding.ts";
import type { Assertion } from "./assertion.ts";
import type { Detector } from "./catalog.ts";
import type { Readable, RunOptions } from "./claims/claim.ts";
import { DetectError } from "./errors.ts";
import { inCommon, joinCampaigns, overlap } from "./join-campaigns.ts";
import { runDetector } from "./run-detector.ts";
import { StandingClaims } from "./standing-claims.ts";

export interface HuntOptions {
  readonly store: Readable;
  readonly detectors: readonly Detector[];
  /** The present, on the clock that drives detection. Nothing later is read. */
  readonly nowMs: number;
  /** What earlier looks found: findings that grow keep their ids. */
  readonly previous?: readonly Finding[];
  /** Declared false discovery rate of all claims of one look (default 1 %): detectors that test share it equally. */
  readonly level?: number;
}

export interface HuntResult {
  readonly findings: readonly Finding[];
  /** Detectors that could not finish. The others' findings stand. */
  readonly failures: readonly { readonly detector: string; readonly error: DetectError }[];
}

export const DEFAULT_LEVEL = 0.01;
const HOUR_MS = 3_600_000;

/** One look by every detector. Deterministic: equal options give equal results. A failing detector is reported. */
export async function hunt(options: HuntOptions): Promise<HuntResult> {
  const hunter = new Watch(options);
  return hunter.look(options.nowMs);
}

/**
 * Looks again and again, live by a timer, replayed by a virtual clock. Each detector runs at its own pace
 * (`everyHours`); in between its last assertions stand, and campaigns take in who joins them. The only state is what
 * was found and when each detector ran, so that equal sequences of looks give equal findings.
 */
export class Watch {
  readonly #options: Omit<HuntOptions, "nowMs">;
  readonly #detectors: readonly Detector[];
  readonly #ranMs = new Map<string, number>();
  /** Last assertions of detectors that don't claim campaigns. */
  readonly #last = new Map<string, readonly Assertion[]>();
  readonly #campaigns = new StandingClaims();
  #known: readonly Finding[];

  constructor(options: Omit<HuntOptions, "nowMs">) {
    this.#options = options;
    this.#detectors = inOrder(options.detectors);
    this.#known = options.previous ?? [];
  }

  /**
   * @param nowMs not before the last look's. Nothing later is read. Never throws.
   * @param everything a person asks: every detector runs, whenever its last time was
   */
  async look(nowMs: number, { everything = false }: { everything?: boolean } = {}): Promise<HuntResult> {
    const failures: { detector: string; error: DetectError }[] = [];
    const level = this.#levelOfEach();
    for (const detector of this.#detectors) {
      try {
        await this.#run(detector, { nowMs, level }, everything);
      } catch (cause) {
        const message = `detector ${detector.id} did not finish`;
        failures.push({
          detector: detector.id,
          error: new DetectError("detector-failed", message, { cause }),
        });
      }
    }
    const assertions = [...[...this.#last.values()].flat(), ...this.#campaigns.assertions()];
    const findings = identify(joinCampaigns(assertions), this.#known, nowMs);
    const current = new Set(findings.map((finding) => finding.id));
    this.#known = [...findings, ...this.#known.filter((finding) => !current.has(finding.id))];
    return { findings, failures };
  }

  async #run(detector: Detector, options: RunOptions, everything: boolean): Promise<void> {
    const { store } = this.#options;
    const ranMs = this.#ranMs.get(detector.id);
    if (ranMs === undefined || everything || options.nowMs >= ranMs + detector.everyHours * HOUR_MS) {
      const accused = this.#campaigns.accused();
      const assertions = await runDetector(store, detector, { ...options, accused });
      this.#ranMs.set(detector.id, options.nowMs);
      if (detector.kind === "campaign") this.#campaigns.renew(detector, assertions, options.nowMs);
      else this.#last.set(detector.id, assertions);
    }
    await this.#campaigns.follow(store, detector, options);
  }

  /** Union bound over the detectors that test; a probe's predicate has an error statement of its own. */
  #levelOfEach(): number {
    const tests = this.#options.detectors.filter(({ kind }) => kind !== "probe").length;
    return (this.#options.level ?? DEFAULT_LEVEL) / Math.max(1, tests);
  }
}

/** Detectors whose null leaves accused accounts out come last: they see what the others claim at this look. */
function inOrder(detectors: readonly Detector[]): readonly Detector[] {
  const isLast = ({ judge }: Detector): boolean => judge === "alike-accounts";
  return [...detectors.filter((one) => !isLast(one)), ...detectors.filter(isLast)];
}

/**
 * Findings with ids. One that shares at least half of the smaller account set with an earlier finding of its kind is
 * that finding, grown: of several the one with most accounts in common, of these the earliest. `timeMs` is when its
 * accounts last changed.
 */
function identify(assertions: readonly Assertion[], previous: readonly Finding[], nowMs: number): Finding[] {
  const taken = new Set<string>();
  const order = [...previous].sort((a, b) => a.timeMs - b.timeMs || a.id.localeCompare(b.id));
  return assertions.map((assertion) => {
    const [known] = order
      .filter(
        ({ id, kind, accounts }) =>
          !taken.has(id) && kind === assertion.kind && overlap(accounts, assertion.accounts),
      )
      .sort((a, b) => inCommon(b.accounts, assertion.accounts) - inCommon(a.accounts, assertion.accounts));
    const id = known?.id ?? newId(assertion, taken);
    taken.add(id);
    const accounts = [...assertion.accounts].sort();
    const unchanged =
      known !== undefined &&
      known.accounts.length === accounts.length &&
      inCommon(known.accounts, accounts) === accounts.length;
    const {
      anchor: _,
      kind,
      detector,
      technique,
      pValue,
      eValue,
      errorRate,
      summary,
      contributions,
    } = assertion;
    return {
      id,
      kind,
      detector,
      accounts,
      timeMs: unchanged ? known.timeMs : nowMs,
      firstMs: known?.firstMs ?? known?.timeMs ?? nowMs,
      pValue,
      eValue,
      errorRate,
      technique,
      summary,
      contributions,
    };
  });
}

function newId(assertion: Assertion, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt += 1) {
    const digest = createHash("sha256")
      .update(`${assertion.kind}\u0000${assertion.detector}\u0000${assertion.anchor}\u0000${attempt}`)
      .digest("hex");
    const id = `${assertion.kind}-${digest.slice(0, 12)}`;
    if (!taken.has(id)) return id;
  }
}
