// What stands behind a finding: its detector's version, definition, null hypothesis and known errors, as of now.

import { hex, utf8 } from "../core/bytes.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Finding } from "../core/finding.ts";
import { sha256 } from "../core/sha256.ts";
import { type Detector, loadDetectors } from "../detect/catalog.ts";
import type { FindingSnapshot, Opinion } from "../evidence/case-scope.ts";

/** @param detectors those of this installation; a finding of an older detector keeps what is known of it */
function opinionOf(finding: Finding, detectors: readonly Detector[]): Opinion {
  const detector = detectors.find(({ id }) => id === finding.detector);
  const { errorRate } = finding;
  if (detector === undefined) {
    const nothing = { version: null, maturity: null, configuration: null, calibration: null };
    return {
      detector: finding.detector,
      ...nothing,
      assumptions: [],
      falsePositives: [],
      knownGaps: [],
      errorRate,
    };
  }
  const { folder: _, ...definition } = detector;
  return {
    detector: detector.id,
    version: detector.version,
    maturity: detector.maturity,
    configuration: hex(sha256(utf8(canonicalJson(definition)))),
    calibration: detector.nullHypothesis.trim(),
    assumptions: detector.assumptions,
    falsePositives: detector.falsePositives,
    knownGaps: detector.knownGaps,
    errorRate,
  };
}

/** Canonical JSON of the finding with its opinion, and its SHA-256. */
export async function snapshotOf(finding: Finding): Promise<{ body: string; digest: string }> {
  const snapshot: FindingSnapshot = { finding, opinion: opinionOf(finding, await loadDetectors()) };
  const body = canonicalJson(snapshot);
  return { body, digest: hex(sha256(utf8(body))) };
}
