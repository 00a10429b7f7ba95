// Why response could not be set up. Every code is listed in docs/errors.md.
import { AdytonError } from "../core/errors.ts";

export const RESPOND_ERROR_CODES: {
  readonly "respond.policy-not-readable": string;
  readonly "respond.policy-syntax": string;
  readonly "respond.policy-invalid": string;
} = {
  "respond.policy-not-readable":
    "The policy file could not be read. Check its path, its owner and its size (at most 1 MiB).",
  "respond.policy-syntax": "The policy file is neither YAML nor JSON. The message names line and column.",
  "respond.policy-invalid":
    "The policy has an unknown member or a wrong value. The message names it; `adyton policy show` prints one that is right.",
};

export type RespondErrorCode = keyof typeof RESPOND_ERROR_CODES;

/** Thrown by everything in `src/respond/`. */
export class RespondError extends AdytonError<RespondErrorCode> {}
