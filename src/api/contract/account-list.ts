// All accounts as one list: what may be sent in, what may be asked for, and what became of each row.
import { z } from "zod";
import { all, count } from "./common.ts";

/** Largest list in one request, bytes: some hundred thousand accounts. Larger ones go by the command line. */
export const MAX_LIST_BYTES: number = 16 * 1024 * 1024;

export const LIST_FORMATS: readonly ["csv", "jsonl", "litellm"] = ["csv", "jsonl", "litellm"];
export type ListFormat = (typeof LIST_FORMATS)[number];

/** A switch in a query string. */
type Switch = "true" | "false";
const onOff: z.ZodDefault<z.ZodType<Switch, Switch>> = z.enum(["true", "false"]).default("false");

export interface ListImport {
  format: ListFormat;
  /** With LiteLLM's table: take over the hashed keys. */
  keys: Switch;
  /** Say what would happen, and change nothing. */
  dryRun: Switch;
}
export const listImport: z.ZodType<ListImport> = z.strictObject({
  format: z.enum(LIST_FORMATS),
  keys: onOff,
  dryRun: onOff,
});

export type ListExport = { format: "csv" | "jsonl" };
export const listExport: z.ZodType<ListExport> = z.strictObject({
  format: z.enum(["csv", "jsonl"]).default("csv"),
});

export interface ImportReport {
  dryRun: boolean;
  rows: number;
  created: number;
  changed: number;
  keysAdopted: number;
  keysKnown: number;
  keysBlocked: number;
  rejected: number;
  /** The first thousand. */
  rejections: { line: number; reason: string }[];
}
export const importReport: z.ZodType<ImportReport> = z.object({
  dryRun: z.boolean(),
  ...all(count, "rows", "created", "changed", "rejected", "keysAdopted", "keysKnown", "keysBlocked"),
  rejections: z.array(z.object({ line: count, reason: z.string() })),
});
