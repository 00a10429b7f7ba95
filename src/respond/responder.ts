// Turns findings into verdicts at every tick: proposes, lets new members inherit, follows what people decided, and
// takes the steps that time takes.
import { z } from "zod";
import type { ActRecorder } from "../core/acts.ts";
import type { VerificationKind } from "../core/identity.ts";
import { rankOf } from "../core/measure.ts";
import type { FindingEntry } from "../state/findings.ts";
import type { State } from "../state/state.ts";
import { POLICY_ACTOR } from "../state/verdict-changes.ts";
import type { Interim, Verdict } from "../state/verdict-rows.ts";
import { asksForTake, ruleFor, type Subject, type Take } from "./choose.ts";
import { nameable } from "./nameable.ts";
import { type Policy, policyHash, type Rule } from "./policy.ts";

export interface ResponderOptions {
  readonly state: State;
  readonly policy: Policy;
  readonly mode: "shadow" | "enforce";
  readonly record: ActRecorder;
  /** What frees accounts under `verify`; null: a person, or the gateway. */
  readonly verification?: VerificationKind | null;
  /** What accounts were served so far; asked only where the policy needs it. */
  readonly takeOf: ((accounts: readonly string[]) => Promise<Take>) | null;
  readonly now: () => number;
  /** Uniform in [0, 1): the jitter of delays. */
  readonly random: () => number;
}

/** What one tick did. */
export interface TickReport {
  readonly proposed: readonly Verdict[];
  /** Verdicts that time changed, or that ended because their finding was dismissed. */
  readonly changed: readonly Verdict[];
  /** Accounts that inherited a measure. */
  readonly joined: number;
  /** Accounts that found no room below `inheritUpTo`: a person has to decide about them. */
  readonly held: number;
  /** Accounts that took the step which `verify` asks for. */
  readonly released: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** A proposal that nobody decided in two weeks is old news. */
export const PROPOSAL_LIFE_MS: number = 14 * DAY_MS;
/** Findings looked at in one tick: those that changed last. */
const MAX_FINDINGS = 1000;
const PAGE = 1000;
const SETTLED_MS = 5000;
/** The setting under which the last policy is remembered. */
const IN_FORCE = "respond.policy";

export class Responder {
  readonly #options: ResponderOptions;
  readonly #hash: string;
  /** When any finding had last changed as all were looked at. */
  #lookedAtMs = -1;
  /** When each finding had last changed as it was looked at. */
  readonly #seen: Map<string, number> = new Map();

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#hash = policyHash(options.policy);
  }

  /** Writes into the log which policy is in force, where it is another than before. Call once at the start. */
  async announce(): Promise<void> {
    const { state, policy, mode, record } = this.#options;
    const current = `${this.#hash} ${mode}`;
    if ((await state.settings.get(IN_FORCE, z.string())) === current) return;
    const detail = { policy: this.#hash, rules: policy.rules.length, mode };
    await record([{ act: "policy.changed", account: null, detail }]);
    await state.settings.set(IN_FORCE, current);
  }

  /** One look at all findings and verdicts. Safe to call again at any time: nothing is proposed twice. */
  async tick(): Promise<TickReport> {
    const { state, record } = this.#options;
    const proposed: Verdict[] = [];
    const changed: Verdict[] = [];
    let joined = 0;
    let held = 0;
    const changedMs = await state.verdicts.findingsChangedMs();
    const items = this.#isQuiet(changedMs) ? [] : await this.#latest();
    for (const entry of items) {
      if (this.#isSeen(entry)) continue;
      const { items: verdicts } = await state.verdicts.list({ finding: entry.finding.id, limit: PAGE });
      const ours = verdicts.filter(({ shadow }) => shadow === (this.#options.mode === "shadow"));
      if (entry.status === "dismissed") {
        changed.push(...(await this.#dismiss(verdicts)));
        this.#seen.set(entry.finding.id, entry.updatedMs);
        continue;
      }
      const subject = await this.#subjectOf(entry);
      for (const verdict of ours.filter(isGrowing)) {
        const growth = await state.verdicts.join(verdict.id, subject.accounts, { record });
        joined += growth.joined.length;
        held += growth.refused;
      }
      const rule = ruleFor(this.#options.policy, subject);
      if (rule !== null && !isAnswered(rule, ours, entry)) proposed.push(await this.#propose(rule, subject));
      this.#seen.set(entry.finding.id, entry.updatedMs);
    }
    this.#lookedAtMs = changedMs;
    const { verification = null } = this.#options;
    const released =
      verification === null ? 0 : await state.verdicts.releaseVerified(verification, { record });
    changed.push(...(await state.verdicts.advance({ proposalLifeMs: PROPOSAL_LIFE_MS, record })));
    return { proposed, changed, joined, held, released };
  }

  /** When a decision of now takes effect: the policy's delay and one random draw for everybody the verdict names. */
  effectiveMs(): number {
    const { policy, now, random } = this.#options;
    return effectiveMs(policy, { nowMs: now(), random: random() });
  }

  /** A decision about an old finding is news too, however many younger ones there are. */
  async #latest(): Promise<readonly FindingEntry[]> {
    const { items } = await this.#options.state.findings.list({ sort: "updated", limit: MAX_FINDINGS });
    return items;
  }

  /** Nothing was found since the last tick: campaigns name thousands, and reading them every second would cost. */
  #isQuiet(changedMs: number): boolean {
    const { policy, now } = this.#options;
    // A change in the same millisecond as one that was seen has the same time; a little later there is none left.
    return changedMs === this.#lookedAtMs && now() - changedMs > SETTLED_MS && !asksForTake(policy);
  }

  /** A finding that did not change since the last tick asks for nothing new, unless the policy looks at the take. */
  #isSeen({ finding, updatedMs }: FindingEntry): boolean {
    return !asksForTake(this.#options.policy) && this.#seen.get(finding.id) === updatedMs;
  }

  async #propose(rule: Rule, { finding, accounts }: Subject): Promise<Verdict> {
    const { state, mode, record } = this.#options;
    const verdict = await state.verdicts.propose(
      {
        finding: finding.id,
        detector: finding.detector,
        rule: rule.id,
        policy: this.#hash,
        measure: rule.measure,
        reason: rule.reason,
        shadow: mode === "shadow",
        lifeMs: rule.days * DAY_MS,
        inheritLimit: rule.inheritUpTo,
        accounts,
        by: "system",
        interim: this.#interimOf(rule),
      },
      { record },
    );
    if (rule.approval === "approver") return verdict;
    const step = {
      by: POLICY_ACTOR,
      note: `rule ${rule.id} needs no approval`,
      effectiveMs: this.effectiveMs(),
    };
    return await state.verdicts.approve(verdict.id, step, { record });
  }

  /** As late and as jittered as the measure itself would be: it must not tell sooner what was seen. */
  #interimOf({ untilDecided }: Rule): Interim | null {
    if (untilDecided === null) return null;
    const fromMs = this.effectiveMs();
    return { measure: untilDecided.measure, fromMs, untilMs: fromMs + untilDecided.hours * HOUR_MS };
  }

  /** What rests on a finding that a person dismissed ends at once. */
  async #dismiss(verdicts: readonly Verdict[]): Promise<Verdict[]> {
    const { state, record } = this.#options;
    const ended: Verdict[] = [];
    const step = { by: "system", note: "its finding was dismissed" };
    for (const { id, status } of verdicts) {
      if (status === "proposed") {
        ended.push(await state.verdicts.reject(id, step, { record, isWrong: true }));
      } else if (status === "approved" || status === "in-effect") {
        ended.push(await state.verdicts.lift(id, step, { record, isWrong: true }));
      }
    }
    return ended;
  }

  async #subjectOf({ finding, status }: FindingEntry): Promise<Subject> {
    const { state, policy, takeOf } = this.#options;
    const accounts = await nameable(policy, finding.accounts, state);
    const take = takeOf !== null && asksForTake(policy) ? await takeOf(accounts) : null;
    return { finding, status, accounts, take };
  }
}

/** @param random uniform in [0, 1) */
export function effectiveMs(
  { delayMinutes: { least, most } }: Policy,
  { nowMs, random }: { nowMs: number; random: number },
): number {
  return Math.floor(nowMs + (least + (most - least) * random) * MINUTE_MS);
}

/** A proposal grows too, so that an approver decides about everybody there is. */
function isGrowing({ status }: Verdict): boolean {
  return status === "proposed" || status === "approved" || status === "in-effect";
}

/**
 * Whether the rule has been answered already: by a live verdict that goes as far, or by a decision against one. A
 * person who said no is not asked again about the same finding, unless a stronger rule holds now. What expired is
 * asked again when the finding has changed since.
 */
function isAnswered({ measure }: Rule, verdicts: readonly Verdict[], { updatedMs }: FindingEntry): boolean {
  return verdicts.some((verdict) => {
    const isOver = verdict.status === "expired" && updatedMs > (verdict.endedMs ?? 0);
    return !isOver && rankOf(verdict.measure) >= rankOf(measure);
  });
}
