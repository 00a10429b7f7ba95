// Which verdicts a list asks for.
import type { ExpressionBuilder } from "kysely";
import type { Measure, VerdictStatus } from "../core/measure.ts";
import type { PageQuery } from "./paging.ts";
import type { Tables } from "./schema.ts";

/** Those that may still change something. */
export const LIVE: readonly VerdictStatus[] = ["proposed", "approved", "in-effect"];

export interface VerdictQuery extends PageQuery {
  readonly status?: VerdictStatus | undefined;
  readonly measure?: Measure | undefined;
  readonly finding?: string | undefined;
  readonly account?: string | undefined;
  /** Only those that may still change something. */
  readonly live?: boolean | undefined;
}

export function matches(
  expression: ExpressionBuilder<Tables, "verdicts">,
  { status, measure, finding, account, live }: VerdictQuery,
): ReturnType<typeof expression.and> {
  const naming = expression
    .selectFrom("verdict_accounts")
    .select("verdict_accounts.verdict")
    .whereRef("verdict_accounts.verdict", "=", "verdicts.id");
  return expression.and([
    ...(status === undefined ? [] : [expression("status", "=", status)]),
    ...(measure === undefined ? [] : [expression("measure", "=", measure)]),
    ...(finding === undefined ? [] : [expression("finding", "=", finding)]),
    ...(live === true ? [expression("status", "in", LIVE)] : []),
    ...(account === undefined
      ? []
      : [expression.exists(naming.where("verdict_accounts.account", "=", account))]),
  ]);
}
