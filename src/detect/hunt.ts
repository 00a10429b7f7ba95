// One look at the store by all detectors, as of a given time: the same code live, replayed and in the detectors' cases.
import { createHash } from "node:crypto";
import type { Finding } from "../core/finding.ts";
import type { Assertion } from "./assertion.ts";
import { type Detector, numberParameter } from "./catalog.ts";
import type { RunOptions } from "./claims/claim.ts";
import { DetectError } from "./errors.ts";
import { inCommon, joinCampaigns, overlap } from "./join-campaigns.ts";
import { reading, type Source } from "./reader.ts";
import { runDetector } from "./run-detector.ts";
import { type FollowOptions, StandingClaims } from "./standing-claims.ts";

export interface HuntOptions {
  readonly store: Source;
  readonly detectors: readonly Detector[];
  /** The present, on the clock that drives detection. Nothing later is read. */
  readonly nowMs: number;
  /** What earlier looks found: findings that grow keep their ids. */
  readonly previous?: readonly Finding[];
  /** Declared false discovery rate of all claims of one look (default 1 %): detectors that test share it equally. */
  readonly level?: number;
}

/** A detector that could not finish. */
export interface Failure {
  readonly detector: string;
  readonly error: DetectError;
}

export interface HuntResult {
  readonly findings: readonly Finding[];
  /** The others' findings stand. */
  readonly failures: readonly Failure[];
}

export interface LookOptions {
  /** A person asks: every detector runs, whenever its last time was. */
  readonly everything?: boolean | undefined;
}

export interface RunningOptions extends LookOptions {
  /** Ends the statement under way; no further detector begins. */
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_LEVEL = 0.01;
const HOUR_MS = 3_600_000;

/** One look by every detector. Deterministic: equal options give equal results. A failing detector is reported. */
export async function hunt(options: HuntOptions): Promise<HuntResult> {
  const hunter = new Watch(options);
  return hunter.look(options.nowMs);
}

/**
 * Looks again and again. Each detector runs at its own pace (`everyHours`); in between its last assertions stand, and
 * campaigns take in who joins them. The only state is what was found and when each detector ran.
 * Replayed by a virtual clock, and for a person at the command line, a `look` runs what is due and then says what
 * stands: equal sequences of looks give equal findings. Live, a `run` goes on beside `tick`s, which don't wait for it.
 */
export class Watch {
  readonly #options: Omit<HuntOptions, "nowMs">;
  readonly #detectors: readonly Detector[];
  readonly #ranMs = new Map<string, number>();
  /** Last assertions of detectors that don't claim campaigns. */
  readonly #last = new Map<string, readonly Assertion[]>();
  readonly #campaigns = new StandingClaims();
  #known: readonly Finding[];
  /** Ends with the last run that was asked for: no detector runs twice at once. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What failed in runs since the last tick. */
  readonly #failures: Failure[] = [];

  constructor(options: Omit<HuntOptions, "nowMs">) {
    this.#options = options;
    this.#detectors = inOrder(options.detectors);
    this.#known = options.previous ?? [];
  }

  /** @param nowMs not before the last look's. Nothing later is read. Never throws. */
  async look(nowMs: number, options: LookOptions = {}): Promise<HuntResult> {
    const failures: Failure[] = [];
    await this.#inTurn(() => this.#runAll(nowMs, options, failures));
    return this.#standing(nowMs, failures);
  }

  /**
   * Runs the detectors that are due, one after the other, after a run under way. What each finds and who fails counts
   * from the tick after it ended.
   * @returns how long they took, ms. Never throws.
   */
  async run(nowMs: number, options: RunningOptions = {}): Promise<number> {
    return await this.#inTurn(async () => {
      const began = performance.now();
      await this.#runAll(nowMs, options, this.#failures);
      return performance.now() - began;
    });
  }

  /** Says what stands and who joined it, beside a run. Never throws. */
  async tick(nowMs: number): Promise<HuntResult> {
    const failures: Failure[] = [];
    let renewals: number;
    do {
      // A claim that a run renewed meanwhile begins without those who joined the one before it: they are asked for
      // again, so that nobody leaves a finding for the length of a tick.
      renewals = this.#campaigns.renewals;
      failures.length = 0;
      for (const detector of this.#detectors) {
        await this.#orFail(detector, failures, () =>
          this.#follow(detector, { nowMs, level: this.#levelOfEach() }),
        );
      }
    } while (renewals !== this.#campaigns.renewals);
    return this.#standing(nowMs, [...this.#failures.splice(0), ...failures]);
  }

  /** Whether the time of a detector has come. */
  isDue(nowMs: number): boolean {
    return this.#detectors.some((detector) => this.#isDue(detector, nowMs));
  }

  async #runAll(nowMs: number, options: RunningOptions, failures: Failure[]): Promise<void> {
    for (const detector of this.#detectors) {
      if (options.signal?.aborted === true) return;
      await this.#orFail(detector, failures, () => this.#run(detector, nowMs, options), options.signal);
    }
  }

  async #run(detector: Detector, nowMs: number, { everything, signal }: RunningOptions): Promise<void> {
    const options = { nowMs, level: this.#levelOfEach() };
    const isDue = everything === true || this.#isDue(detector, nowMs);
    if (isDue) {
      const accused = this.#campaigns.accused();
      const assertions = await reading(
        this.#options.store,
        (store) => runDetector(store, detector, { ...options, accused }),
        signal,
      );
      this.#ranMs.set(detector.id, nowMs);
      if (detector.kind === "campaign") this.#campaigns.renew(detector, assertions, nowMs);
      else this.#last.set(detector.id, assertions);
    }
    // A claim that this run could not repeat takes in whoever became a user of its wordings since it was made.
    const joinHours = numberParameter(detector, "windowDays") * 24;
    await this.#follow(detector, isDue ? { ...options, joinHours } : options, signal);
  }

  #isDue({ id, everyHours }: Detector, nowMs: number): boolean {
    const ranMs = this.#ranMs.get(id);
    return ranMs === undefined || nowMs >= ranMs + everyHours * HOUR_MS;
  }

  async #follow(
    detector: Detector,
    options: RunOptions & FollowOptions,
    signal?: AbortSignal,
  ): Promise<void> {
    await reading(this.#options.store, (store) => this.#campaigns.follow(store, detector, options), signal);
  }

  /** A detector that fails is reported, unless it was told to end. */
  async #orFail(
    { id }: Detector,
    failures: Failure[],
    work: () => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (signal?.aborted === true) return;
      const error = new DetectError("detector-failed", `detector ${id} did not finish`, { cause });
      failures.push({ detector: id, error });
    }
  }

  #standing(nowMs: number, failures: readonly Failure[]): HuntResult {
    const assertions = [...[...this.#last.values()].flat(), ...this.#campaigns.assertions()];
    const findings = identify(joinCampaigns(assertions), this.#known, nowMs);
    const current = new Set(findings.map((finding) => finding.id));
    this.#known = [...findings, ...this.#known.filter((finding) => !current.has(finding.id))];
    return { findings, failures };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return await mine;
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
