// How the installation is doing, and detection on demand.
import { z } from "zod";
import { type FindingSummary, findingSummary } from "./findings.ts";

export type Component = { name: string; ok: boolean; message: string };
export type Health = { status: "ok" | "degraded"; components: Component[] };
const component = z.object({ name: z.string(), ok: z.boolean(), message: z.string() });
export const health: z.ZodType<Health> = z.object({
  status: z.enum(["ok", "degraded"]),
  components: z.array(component),
});

export type HuntResult = { raised: FindingSummary[]; tookMs: number };
const raised = z.array(findingSummary);
export const huntResult: z.ZodType<HuntResult> = z.object({ raised, tookMs: z.number() });
