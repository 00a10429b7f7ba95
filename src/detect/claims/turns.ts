// What campaign claims say and are told of accounts that take turns.
import { figure, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import type { TurnParameters } from "../judges/turn-takers.ts";

export function turnParametersOf(
  detector: Detector,
): Omit<TurnParameters, "minAccounts" | "nowMs" | "level"> {
  return {
    turnShiftMinutes: numberParameter(detector, "turnShiftMinutes"),
    minBetween: numberParameter(detector, "minBetween"),
    maxTurnDraws: numberParameter(detector, "maxTurnDraws"),
    visitMinutes: numberParameter(detector, "visitMinutes"),
    maxVisits: numberParameter(detector, "maxVisits"),
  };
}

/** @param between NaN where turns were not looked at */
export function turnsText(between: number, pValue: number): string {
  if (Number.isNaN(between)) return "not looked at";
  return `${share(between)} of the others come between two visits of one (about half by chance), p = ${figure(pValue)}`;
}
