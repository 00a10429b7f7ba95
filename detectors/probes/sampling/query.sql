-- For every account: the prompts of which many answers were drawn at one sitting and none later, by any accounts, at a
-- temperature that makes them differ; and how many of its prompts were drawn from a few times only.
WITH
    asked AS
    (
        SELECT conversation, account, time, exchange, completion_tokens, greatest(choices, 1) AS draws
        FROM exchange_features
        WHERE served AND NOT continued AND completion_tokens > 0 AND numeric_inputs = 0
          AND ifNull(temperature, 1) >= {minTemperature:Float64}
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    totals AS
    (
        SELECT
            conversation,
            sum(draws) >= {minSamples:UInt32} AS many,
            -- Over, and watched for as long as a sitting may last.
            dateDiff('hour', min(time), max(time)) < {sittingHours:UInt32}
                AND min(time) <= fromUnixTimestamp64Milli({nowMs:Int64}) - toIntervalHour({sittingHours:UInt32}) AS over
        FROM asked
        GROUP BY conversation
        HAVING sum(draws) > 1
    ),
    drawn AS
    (
        SELECT
            account,
            conversation,
            any(many) AS several,
            any(many AND over) AS deep,
            sum(draws) AS samples,
            min(time) AS first,
            sum(completion_tokens) AS tokens,
            min(exchange) AS exemplar
        FROM asked
        INNER JOIN totals USING (conversation)
        GROUP BY account, conversation
    ),
    accounts AS
    (
        SELECT
            account,
            arraySort(
                groupArrayIf({maxPrompts:UInt32})((toUnixTimestamp(first), toString(conversation), toUInt32(samples)), deep)
            ) AS sittings,
            countIf(NOT several) AS shallow,
            sumIf(tokens, deep) AS tokens,
            minIf(first, deep) AS since,
            arraySort(groupArraySortedIf(3)(exemplar, deep)) AS exemplars,
            count() OVER () AS able
        FROM drawn
        GROUP BY account
        HAVING count() >= {minOwnPrompts:UInt32}
    )
SELECT
    account,
    arrayMap(sitting -> sitting.2, sittings) AS prompts,
    arrayMap(sitting -> sitting.3, sittings) AS samples,
    arrayMap(sitting -> toUInt32(intDiv(sitting.1, 3600)), sittings) AS hours,
    toUInt32(shallow) AS shallow,
    toFloat64(tokens) AS tokens,
    toFloat64(toUnixTimestamp64Milli(since)) AS sinceMs,
    exemplars,
    toUInt32(able) AS able
FROM accounts
WHERE length(sittings) >= greatest({minOwnPrompts:UInt32}, shallow)
ORDER BY account
