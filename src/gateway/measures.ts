// Applies what was decided about an account: refuses, slows, reduces, and keeps budgets. For nearly everybody it says
// at once that nothing applies.
import type { RespondConfig } from "../config/respond-section.ts";
import type { TokensUsed } from "../core/answer-usage.ts";
import type { ReasonCode } from "../core/measure.ts";
import { type Admission, type Budgets, type Caller, paceOf } from "../state/budgets.ts";
import type { Standing, Standings } from "../state/verdict-table.ts";
import { APPEALS_PATH } from "./appeals.ts";
import type { Principal } from "./credentials.ts";
import type { GatewayErrorCode } from "./errors.ts";
import { Pacing } from "./pacing.ts";

/** What a customer is told beside the code: where to read more, and object. */
export interface Notice {
  /** Flat name, value list. */
  readonly headers: readonly string[];
  /** A sentence after the code's own; empty: none. */
  readonly text: string;
}

/** The exchange goes on, perhaps with less. */
export interface Grant {
  /** Headers of the answer, flat name and value list. */
  readonly headers: readonly string[];
  /** What only a copier needs is taken out of the request. */
  readonly reduces: boolean;
  /** Whose token budgets the answer is charged to; null: nobody's. */
  readonly caller: Caller | null;
}

export type Ruling =
  | { readonly grant: Grant; readonly refusal: null }
  | { readonly grant: null; readonly refusal: { readonly code: GatewayErrorCode; readonly notice: Notice } };

export interface MeasuresOptions {
  readonly standings: Standings;
  readonly budgets: Budgets;
  readonly organizationOf: (account: string) => string | null;
  /** URL under which customers reach the gateway; null: the path alone is told. */
  readonly publicUrl: string | null;
  /** What the operator asks for under `verify`. */
  readonly instructions: string;
  readonly slow: RespondConfig["slow"];
  readonly now: () => number;
}

const NO_HEADERS: readonly string[] = [];

export class Measures {
  readonly #options: MeasuresOptions;
  readonly #hasBudgets: boolean;
  readonly #pacing: Pacing;

  constructor(options: MeasuresOptions) {
    this.#options = options;
    const { budgets, slow, now } = options;
    this.#hasBudgets = budgets.hasAny;
    const { requests, windowSeconds } = paceOf(slow);
    this.#pacing = new Pacing({
      ...{ take: (verdict) => budgets.pace(verdict), maxWaitMs: slow.maxWaitSeconds * 1000, now },
      intervalMs: (windowSeconds * 1000) / requests,
    });
  }

  /**
   * Null: nothing applies, after one look into a map. A promise where a counter has to be asked, or where the request
   * is held until its turn; `isGone` says then whether anybody still waits for it.
   */
  rule(principal: Principal, isGone: () => boolean): Ruling | Promise<Ruling> | null {
    const standing = this.#options.standings.of(principal.account);
    if (standing === null) return this.#hasBudgets ? this.#budgeted(principal, null) : null;
    switch (standing.measure) {
      case "quarantine":
        return this.#refuse("gateway.quarantined", standing, "");
      case "verify":
        return this.#refuse("gateway.verification-required", standing, this.#options.instructions);
      case "slow":
        return this.#slowed(principal, standing, isGone);
      default:
        return this.#budgeted(principal, standing);
    }
  }

  /** Charges what a granted exchange used, after it was served. */
  async charge(caller: Caller, used: TokensUsed): Promise<void> {
    await this.#options.budgets.charge(caller, used);
  }

  /** Nobody is held any longer: who is held now gets a ruling at once. */
  stop(): void {
    this.#pacing.stop();
  }

  async #slowed(principal: Principal, standing: Standing, isGone: () => boolean): Promise<Ruling> {
    const pace = await this.#pacing.turn(standing.verdict, isGone);
    if (pace.admitted) return await this.#budgeted(principal, standing);
    const notice = this.#told(standing, "");
    const headers = ["retry-after", String(pace.retryAfterSeconds), ...notice.headers];
    const code = pace.why === "spent" ? "gateway.slowed" : "gateway.budget-unavailable";
    return { grant: null, refusal: { code, notice: { ...notice, headers } } };
  }

  async #budgeted(principal: Principal, standing: Standing | null): Promise<Ruling> {
    const { budgets, organizationOf } = this.#options;
    const measured = standing === null ? NO_HEADERS : this.#told(standing, "").headers;
    const reduces = standing?.measure === "reduce";
    if (!this.#hasBudgets) return { grant: { headers: measured, reduces, caller: null }, refusal: null };
    const { account, endUser = null } = principal;
    const verdict = standing?.verdict ?? null;
    const caller = { account, endUser, organization: organizationOf(account), verdict };
    const admission = await budgets.admit(caller);
    if (!admission.admitted) return { grant: null, refusal: overBudget(admission, measured) };
    const headers = [...measured, ...admission.headers];
    return { grant: { headers, reduces, caller: budgets.countsTokens ? caller : null }, refusal: null };
  }

  #refuse(code: GatewayErrorCode, standing: Standing, instructions: string): Ruling {
    return { grant: null, refusal: { code, notice: this.#told(standing, instructions) } };
  }

  #told({ measure, reason, reference }: Standing, instructions: string): Notice {
    const url = `${this.#options.publicUrl?.replace(/\/$/, "") ?? ""}${APPEALS_PATH}${reference}`;
    const where = `What happened, and how to object: ${url}`;
    const text = instructions === "" ? where : `${instructions} ${where}`;
    return { headers: measureHeaders(measure, reason, url), text };
  }
}

function measureHeaders(measure: string, reason: ReasonCode, url: string): string[] {
  return ["adyton-measure", measure, "adyton-reason", reason, "adyton-appeal", url];
}

function overBudget(
  { why, retryAfterSeconds, headers }: Extract<Admission, { admitted: false }>,
  measured: readonly string[],
): { code: GatewayErrorCode; notice: Notice } {
  const code = why === "spent" ? "gateway.budget-spent" : "gateway.budget-unavailable";
  const all = ["retry-after", String(retryAfterSeconds), ...headers, ...measured];
  return { code, notice: { headers: all, text: "" } };
}
