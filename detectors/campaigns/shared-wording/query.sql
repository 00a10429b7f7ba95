-- For every opening or closing that several accounts share: who used it, how often, and how much of that was never
-- asked a second time by anybody. An input counts as private when it occurs exactly once under the wording.
WITH
    used AS
    (
        SELECT affix, account, input, time, embedding
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    shared AS
    (
        SELECT affix
        FROM used
        GROUP BY affix
        HAVING uniq(account) >= {minAccounts:UInt32} AND uniq(input) >= {minPrivateShare:Float64} * count()
    ),
    inputs AS
    (
        SELECT affix, input, any(account) AS owner, count() AS uses, min(time) AS first, any(embedding) AS vector
        FROM used
        WHERE affix IN shared
        GROUP BY affix, input
    ),
    private AS
    (
        SELECT
            affix,
            owner AS account,
            count() AS inputs,
            uniqExact(toStartOfHour(first)) AS hours,
            min(first) AS since,
            max(first) AS until,
            sumForEach(arrayMap(x -> toInt32(x), vector)) AS sum,
            sum(arraySum(x -> toInt32(x) * x, vector)) AS squares
        FROM inputs
        WHERE uses = 1
        GROUP BY affix, account
    ),
    everybody AS
    (
        SELECT affix, account, count() AS uses
        FROM used
        WHERE affix IN shared
        GROUP BY affix, account
    )
SELECT
    toString(everybody.affix) AS affix,
    everybody.account AS account,
    toUInt32(everybody.uses) AS uses,
    toUInt32(private.inputs) AS inputs,
    toUInt32(private.hours) AS hours,
    toFloat64(toUnixTimestamp64Milli(private.since)) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(private.until)) AS untilMs,
    arrayMap(x -> toFloat64(x), private.sum) AS sum,
    toFloat64(private.squares) AS squares
FROM everybody
LEFT JOIN private ON private.affix = everybody.affix AND private.account = everybody.account
ORDER BY affix, account
