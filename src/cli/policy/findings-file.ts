// Reads the findings that `adyton replay` wrote, for a policy to be tried on.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Finding } from "../../core/finding.ts";
import type { FindingEntry } from "../../state/findings.ts";
import { CliError } from "../errors.ts";

/** As much of a finding as a policy looks at. */
export type Tested = Pick<FindingEntry, "finding" | "status">;

const SHAPE = z.object({
  findings: z.array(
    z.object({
      id: z.string(),
      time: z.iso.datetime(),
      kind: z.enum(["account", "campaign", "probe"]),
      accounts: z.array(z.string()),
      detector: z.string().default(""),
      p: z.number().nullish(),
      e: z.number().nullish(),
    }),
  ),
});

/** The latest word on each finding of a replay's file. @throws CliError `input-damaged` */
export async function findingsOf(file: string): Promise<readonly Tested[]> {
  const { findings } = await read(file);
  const latest = new Map<string, Tested>();
  for (const { id, time, kind, accounts, detector, p, e } of findings) {
    const finding: Finding = {
      ...{ id, kind, detector, accounts, timeMs: Date.parse(time), pValue: p ?? null, eValue: e ?? null },
      ...{ errorRate: "", technique: null, summary: "", contributions: [] },
    };
    latest.set(id, { finding, status: "open" });
  }
  return [...latest.values()];
}

async function read(file: string): Promise<z.infer<typeof SHAPE>> {
  try {
    return SHAPE.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const reason =
      issue === undefined
        ? cause instanceof Error && cause.message
        : `${issue.path.join(".") || "the whole"}: ${issue.message}`;
    const message = `expected ${file} to hold {"findings": […]} as adyton replay --findings writes it, got: ${reason}`;
    throw new CliError("input-damaged", message, { cause });
  }
}
