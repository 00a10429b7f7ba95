-- For every account that has been at work for long enough: how many different things it asked exactly once, and how
-- much answer that brought. Only first turns count: a conversation is not a list of questions.
WITH
    working AS
    (
        SELECT account, uniqExact(toStartOfHour(time)) AS hours
        FROM exchange_features
        WHERE served
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
        HAVING hours >= {minHours:UInt32}
    ),
    asked AS
    (
        SELECT account, input, count() AS uses, any(completion_tokens) AS tokens, min(time) AS first, any(exchange) AS id
        FROM exchange_features
        WHERE served AND NOT continued AND account IN (SELECT account FROM working)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    )
SELECT
    account,
    toUInt32(any(working.hours)) AS hours,
    toUInt32(sum(uses)) AS exchanges,
    toUInt32(countIf(uses = 1)) AS singles,
    toFloat64(sumIf(tokens, uses = 1)) AS tokens,
    toFloat64(toUnixTimestamp64Milli(min(first))) AS sinceMs,
    groupArraySorted(3)(id) AS exemplars
FROM asked
INNER JOIN working USING (account)
GROUP BY account
ORDER BY account
