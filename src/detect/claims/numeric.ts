// Words what the judge of numeric inputs found: an account that probes a classifier.
import { type Assertion, figure } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { NUMERIC_DIMENSIONS } from "../features/numeric.ts";
import { judgeNumeric, type NumericProbe, type NumericUse } from "../judges/numeric.ts";
import { identityOf, type Readable, type RunOptions, rowsOf, ruleOfThree, sinceText } from "./claim.ts";

const HOUR_MS = 3_600_000;

export async function numeric(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const rows = await rowsOf<NumericUse>(store, detector, options);
  const parameter = (name: string): number => numberParameter(detector, name);
  const judged = judgeNumeric(rows, {
    level: options.level,
    parameters: {
      dimensions: NUMERIC_DIMENSIONS,
      maxInputs: parameter("maxInputs"),
      nearShare: parameter("nearShare"),
      minFew: parameter("minFew"),
      minMany: parameter("minMany"),
      maxW: parameter("maxW"),
      minGroups: parameter("minGroups"),
      minStar: parameter("minStar"),
      sittingMs: parameter("sittingHours") * HOUR_MS,
      setAside: parameter("setAside"),
    },
  });
  return judged.map((found) => ({
    ...identityOf(detector),
    accounts: [found.account],
    pValue: found.pValue,
    eValue: null,
    errorRate: errorOf(found, options.level),
    summary: `${found.near} of ${found.inputs} numeric inputs are small changes of earlier ones, in ${found.neighbourhoods} neighbourhoods round a centre, each asked within a day.`,
    contributions: [
      { name: "model", value: found.target },
      {
        name: "normality of least distances (PRADA's W)",
        value: Number.isNaN(found.w) ? "too few" : figure(found.w),
      },
      { name: "estimated take", value: `${found.inputs} inputs ${sinceText(found.sinceMs)}` },
      { name: "exemplars", value: found.exemplars.join(", ") },
    ],
    anchor: `${found.account} ${found.target}`,
  }));
}

function errorOf(found: NumericProbe, level: number): string {
  if (found.pValue === null) return ruleOfThree(found.peers, "accounts with as many numeric inputs");
  return `False discovery rate ${level} over ${found.peers + 1} accounts with as many numeric inputs (Benjamini-Hochberg; share of near inputs beta-binomial over accounts, most of them honest), before the further conditions of the signature.`;
}
