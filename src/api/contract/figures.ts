// Amounts of traffic: totals, and how they spread over time.
import { z } from "zod";
import { count, time } from "./common.ts";

export type Amount = { exchanges: number; promptTokens: number; completionTokens: number };
export const amount: Record<keyof Amount, z.ZodType<number>> = {
  exchanges: count,
  promptTokens: count,
  completionTokens: count,
};

/** How much happened in each bucket of time; buckets in which nothing happened are absent. */
export interface Series {
  bucketSeconds: number;
  buckets: (Amount & { at: string; accounts: number })[];
}
export const series: z.ZodType<Series> = z.object({
  bucketSeconds: count,
  buckets: z.array(z.object({ ...amount, at: time, accounts: count })),
});
