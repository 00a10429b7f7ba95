// Reads how people write a length of time or a day on the command line.
import { CliError } from "./errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90d`, `12h`, `30m`: milliseconds. @throws CliError `usage` */
export function durationMs(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ""];
  if (count === undefined || unitMs === undefined) {
    throw new CliError("usage", `expected a time such as 90d, 12h or 30m, got ${JSON.stringify(text)}`);
  }
  return Number(count) * unitMs;
}

/** The other way round, in the longest unit that fits without a rest: `36h`, `30d`, `90s`. */
export function durationText(seconds: number): string {
  const ms = seconds * 1000;
  const fitting = ["d", "h", "m"].find(
    (unit) => ms >= (UNIT_MS[unit] ?? 1) && ms % (UNIT_MS[unit] ?? 1) === 0,
  );
  return fitting === undefined ? `${seconds}s` : `${ms / (UNIT_MS[fitting] ?? 1)}${fitting}`;
}

/** `2027-01-31`, a full ISO time, or a length of time from now: milliseconds since the epoch. @throws CliError `usage` */
export function momentMs(text: string, nowMs: number): number {
  if (/^\d{1,9}[smhdw]$/.test(text)) return nowMs + durationMs(text);
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new CliError(
      "usage",
      `expected a day such as 2027-01-31, or a time such as 90d, got ${JSON.stringify(text)}`,
    );
  }
  return ms;
}

/** A whole number between limits, for commander's argument parsers. @throws CliError `usage` */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new CliError(
      "usage",
      `expected a whole number from ${minimum} to ${maximum}, got ${JSON.stringify(text)}`,
    );
  };
}
