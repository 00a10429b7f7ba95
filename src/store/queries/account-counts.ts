// What accounts are compared by: of each one whole numbers by working hour; nothing of a single exchange leaves the store.

/** Counts of one account. An hour is a list's if at least nine in ten of its exchanges asked something new at first. */
export interface AccountCounts {
  readonly account: string;
  /** Different hours with an answered exchange, and such exchanges. */
  readonly hours: number;
  readonly exchanges: number;
  /** Different inputs of first turns. */
  readonly inputs: number;
  readonly listHours: number;
  /** Whole quarters of a day (UTC) with an hour of a list, after the one in which the account was first seen. */
  readonly laterListQuarters: number;
  /** Hours in which most exchanges sought a capability. */
  readonly capableHours: number;
  /** Hours by four-hour block of the day, UTC. */
  readonly blocks: readonly number[];
  /** Exchanges with a system prompt, tools, a temperature, a limit of tokens. */
  readonly withSystem: number;
  readonly withTools: number;
  readonly withSampling: number;
  readonly withLimit: number;
  /** Sums of ln(1 + characters asked) and of ln(1 + tokens answered). */
  readonly askedLog: number;
  readonly answeredLog: number;
  /** Beginning of the hour in which it was first seen. */
  readonly sinceMs: number;
}

/**
 * How each account talks to the API, and in how many of its hours it did what harvesters do. An input is new in the hour
 * in which the account asked it first, in a first turn; an hour is one of a list if at least nine in ten of its exchanges
 * were new. Parameters: fromMs, nowMs.
 */
export const SELECT_ACCOUNT_COUNTS: string = `
WITH hourly AS
(
    SELECT account, hour, sum(served) AS served, sum(fresh) AS fresh, sum(able) AS able, sum(withSystem) AS withSystem,
        sum(withTools) AS withTools, sum(withSampling) AS withSampling, sum(withLimit) AS withLimit,
        sum(askedLog) AS askedLog, sum(answeredLog) AS answeredLog
    FROM
    (
        SELECT account, toStartOfHour(time) AS hour, count() AS served, 0 AS fresh, countIf(capabilities != 0) AS able,
            countIf(system != 0) AS withSystem, countIf(tools > 0) AS withTools,
            countIf(isNotNull(temperature)) AS withSampling, countIf(isNotNull(max_tokens)) AS withLimit,
            sum(log(1 + prompt_chars)) AS askedLog, sum(log(1 + completion_tokens)) AS answeredLog
        FROM exchange_features
        WHERE exchange_features.served
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64}) AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, hour
        UNION ALL
        SELECT account, hour, 0, count(), 0, 0, 0, 0, 0, 0, 0
        FROM
        (
            SELECT account, toStartOfHour(min(time)) AS hour
            FROM exchange_features
            WHERE exchange_features.served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64}) AND time < fromUnixTimestamp64Milli({nowMs:Int64})
            GROUP BY account, input
        )
        GROUP BY account, hour
    )
    GROUP BY account, hour
)
SELECT
    account,
    toUInt32(count()) AS hours,
    toUInt32(sum(served)) AS exchanges,
    toUInt32(sum(fresh)) AS inputs,
    toUInt32(countIf(10 * fresh >= 9 * served)) AS listHours,
    toUInt32(length(arrayFilter(
        quarter -> quarter > intDiv(toUnixTimestamp(min(hour)), 21600) AND quarter < intDiv({nowMs:Int64}, 21600000),
        groupUniqArrayIf(intDiv(toUnixTimestamp(hour), 21600), 10 * fresh >= 9 * served)))) AS laterListQuarters,
    toUInt32(countIf(2 * able > served)) AS capableHours,
    arrayMap(b -> toUInt32(b), sumForEach(arrayMap(b -> toUInt8(b = intDiv(toHour(hour), 4)), range(6)))) AS blocks,
    toFloat64(sum(withSystem)) AS withSystem,
    toFloat64(sum(withTools)) AS withTools,
    toFloat64(sum(withSampling)) AS withSampling,
    toFloat64(sum(withLimit)) AS withLimit,
    toFloat64(sum(askedLog)) AS askedLog,
    toFloat64(sum(answeredLog)) AS answeredLog,
    toFloat64(1000 * toUnixTimestamp(min(hour))) AS sinceMs
FROM hourly
GROUP BY account
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1`;
