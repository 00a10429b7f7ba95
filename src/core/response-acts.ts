// The acts of response that are records in the log: every step of a verdict, of an appeal and of the policy.
import type { Measure, ReasonCode } from "./measure.ts";

/** Details of the acts; who did it is added to every one. */
export interface ResponseActDetails {
  /** The policy in force is another one than at the last start. `policy` is the SHA-256 of its canonical form. */
  "policy.changed": { readonly policy: string; readonly rules: number; readonly mode: "shadow" | "enforce" };
  "verdict.proposed": {
    readonly verdict: string;
    readonly finding: string | null;
    readonly rule: string | null;
    readonly policy: string | null;
    readonly measure: Measure;
    readonly reason: ReasonCode;
    /** How many accounts; their names are in `verdict.joined`. */
    readonly accounts: number;
    readonly shadow: boolean;
    /** What holds until an approver decides; absent: nothing. Gateways keep its times by themselves. */
    readonly untilDecided?: { readonly measure: Measure; readonly fromMs: number; readonly untilMs: number };
  };
  /** Accounts that a verdict names from now on: those it began with, and those that joined later. */
  "verdict.joined": {
    readonly verdict: string;
    readonly accounts: readonly string[];
    readonly inherited: boolean;
  };
  "verdict.approved": {
    readonly verdict: string;
    readonly note: string;
    /** When it takes effect: now, the policy's delay and a random part of it. */
    readonly effectiveMs: number;
    readonly expiresMs: number;
  };
  "verdict.rejected": { readonly verdict: string; readonly note: string };
  /** The record may come later than the effect, which is at `effectiveMs`: gateways keep the time by themselves. */
  "verdict.in-effect": { readonly verdict: string; readonly effectiveMs: number };
  "verdict.lifted": { readonly verdict: string; readonly note: string };
  "verdict.expired": { readonly verdict: string };
  /** One account of a verdict is free of it; the verdict stays for the others. */
  "verdict.released": { readonly verdict: string; readonly note: string };
  /** The statement is the customer's own words, under the account's key: erasing the account erases it. */
  "appeal.filed": { readonly appeal: string; readonly verdict: string; readonly statement: string };
  "appeal.decided": {
    readonly appeal: string;
    readonly verdict: string;
    readonly outcome: "granted" | "refused";
    readonly reason: string;
  };
  /** Somebody put an alert that was given up in line again. */
  "alert.retried": { readonly alert: string };
  /** A share of a budget that the analytical store measured is spent: requests are refused until then. */
  "budget.spent": { readonly budget: string; readonly scope: string; readonly untilMs: number };
}
