// Settings of cases and evidence.
import { z } from "zod";
import { APPROVAL_ACTIONS, type ApprovalAction } from "../core/case-acts.ts";

export interface EvidenceConfig {
  readonly twoPersonFor: readonly ApprovalAction[];
}

export const evidenceSection: z.ZodPrefault<
  z.ZodType<EvidenceConfig, { twoPersonFor?: ApprovalAction[] | undefined }>
> = z
  .strictObject({
    twoPersonFor: z.array(z.enum(APPROVAL_ACTIONS)).max(APPROVAL_ACTIONS.length).default([]).meta({
      description:
        "What needs the agreement of a second person before it is done: `open-content` (looking at an exchange in clear), `erase`, `export` (of a case). None by default.",
    }),
  })
  .prefault({})
  .meta({ description: "Cases and evidence." });
