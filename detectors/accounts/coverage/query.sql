-- For every account that has been at work for long enough: how many different things it asked exactly once, and how
-- much answer that brought. Only first turns count: a conversation is not a list of questions.
-- Each part goes over all accounts once, by the hashes of their names; an account's inputs go by one hash of both.
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
    takes AS
    (
        SELECT
            user,
            sum(uses) AS exchanges,
            countIf(uses = 1) AS singles,
            sumIf(tokens, uses = 1) AS answered,
            min(first) AS since
        FROM
        (
            SELECT
                any(cityHash64(account)) AS user,
                count() AS uses,
                any(completion_tokens) AS tokens,
                min(time) AS first
            FROM exchange_features
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
            GROUP BY cityHash64(account, input)
        )
        GROUP BY user
    )
SELECT
    working.account AS account,
    toUInt32(working.hours) AS hours,
    toUInt32(takes.exchanges) AS exchanges,
    toUInt32(takes.singles) AS singles,
    toFloat64(takes.answered) AS tokens,
    toFloat64(toUnixTimestamp64Milli(takes.since)) AS sinceMs
FROM working
INNER JOIN takes ON takes.user = cityHash64(working.account)
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1
