// Runs one detector: its statement on the store, its judge on the rows, its verdicts as assertions with error rates.
import type { Assertion } from "./assertion.ts";
import type { Detector } from "./catalog.ts";
import { alikeAccounts } from "./claims/alike-accounts.ts";
import type { Claim, Readable, RunOptions } from "./claims/claim.ts";
import { coverage } from "./claims/coverage.ts";
import { divergence } from "./claims/divergence.ts";
import { links } from "./claims/links.ts";
import { neighbourhoods } from "./claims/neighbourhoods.ts";
import { numeric } from "./claims/numeric.ts";
import { recall } from "./claims/recall.ts";
import { sampling } from "./claims/sampling.ts";
import { sweeps } from "./claims/sweeps.ts";
import { trainingData } from "./claims/training-data.ts";
import { wordings } from "./claims/wordings.ts";

const CLAIMS: Readonly<Record<Detector["judge"], Claim>> = {
  "alike-accounts": alikeAccounts,
  divergence,
  "parameter-stealing": sweeps,
  neighbourhoods,
  numeric,
  recall,
  sampling,
  "training-data": trainingData,
  "shared-wording": wordings,
  "linked-accounts": links,
  coverage,
};

/** @throws StoreError, DetectError */
export async function runDetector(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  return CLAIMS[detector.judge](store, detector, options);
}
