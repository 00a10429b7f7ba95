// Why response could not be set up. Every code is listed in docs/errors.md.
import { AdytonError } from "../core/errors.ts";

const CODES = {
  "respond.policy-not-readable":
    "The policy file could not be read. Check its path, its owner and its size (at most 1 MiB).",
  "respond.policy-syntax": "The policy file is neither YAML nor JSON. The message names line and column.",
  "respond.policy-invalid":
    "The policy has an unknown member or a wrong value. The message names it; `adyton policy show` prints one that is right.",
  "respond.redis-unavailable":
    "Redis (or Valkey) could not be reached. What the gateways then do with budgets is set in respond.onRedisFailure.",
} as const;

export type RespondErrorCode = keyof typeof CODES;

export const RESPOND_ERROR_CODES: Readonly<Record<RespondErrorCode, string>> = CODES;

/** Thrown by everything in `src/respond/`. */
export class RespondError extends AdytonError<RespondErrorCode> {}
