-- For every opening or closing that several accounts share: who used it, how often, and how much of that it never came
-- back to. An input counts as private when the account asked it at one sitting: several samples of one input and retries
-- come within minutes and count as one asking. What several accounts asked counts for each by its share, so that the
-- sum over the accounts is the number of different inputs. Shares are whole parts of 720720 (divisible by 1 to 16): sums of
-- whole numbers don't depend on their order, so that equal looks give equal rows.
-- A wording is a part of its input, so that whose an input is can be counted once for all of its wordings. Which
-- wordings are judged is found from counts alone; vectors are summed for these only.
WITH
    asked AS
    (
        SELECT
            account,
            input,
            if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
            any(affixes) AS wordings
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    ),
    several AS
    (
        SELECT input, count() AS accounts
        FROM
        (
            SELECT DISTINCT account, input
            FROM exchange_features
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
              AND input IN
              (
                  SELECT input
                  FROM exchange_features
                  WHERE served AND NOT continued
                    AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
                    AND time < fromUnixTimestamp64Milli({nowMs:Int64})
                  GROUP BY input
                  HAVING min(cityHash64(account)) != max(cityHash64(account))
              )
        )
        GROUP BY input
    ),
    frequent AS
    (
        SELECT affix
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY affix
        HAVING count() >= {minNullAccounts:UInt32} AND min(cityHash64(account)) != max(cityHash64(account))
    ),
    shared AS
    (
        SELECT affix
        FROM
        (
            SELECT
                affix,
                account,
                sum(askings) AS uses,
                countIf(askings = 1) AS inputs,
                sumIf(intDiv(720720, greatest(several.accounts, 1)), askings = 1) / 720720 AS distinct
            FROM asked
            LEFT JOIN several ON several.input = asked.input
            ARRAY JOIN wordings AS affix
            WHERE affix IN frequent
            GROUP BY affix, account
        )
        GROUP BY affix
        HAVING count() >= {minNullAccounts:UInt32}
           AND sum(inputs) >= {minPrivateShare:Float64} * sum(uses)
           AND sum(distinct) >= {minDistinctShare:Float64} * sum(inputs)
    )
SELECT
    toString(affix) AS affix,
    account,
    toUInt32(sum(askings)) AS uses,
    toUInt32(countIf(askings = 1)) AS inputs,
    sumIf(intDiv(720720, greatest(several.accounts, 1)), askings = 1) / 720720 AS distinct,
    toUInt32(uniqExactIf(toStartOfHour(first), askings = 1)) AS hours,
    toFloat64(toUnixTimestamp64Milli(minIf(first, askings = 1))) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(maxIf(first, askings = 1))) AS untilMs,
    arrayMap(x -> toFloat64(x), sumWithOverflowForEachIf(arrayMap(x -> toInt32(x), vector), askings = 1)) AS sum,
    toFloat64(sumIf(arraySum(x -> toInt32(x) * toInt32(x), vector), askings = 1)) AS squares
FROM
(
    SELECT
        account,
        input,
        if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
        min(time) AS first,
        any(affixes) AS wordings,
        any(embedding) AS vector
    FROM exchange_features
    WHERE served AND NOT continued
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account, input
) AS asked
LEFT JOIN several ON several.input = asked.input
ARRAY JOIN wordings AS affix
WHERE affix IN shared
GROUP BY affix, account
ORDER BY affix, account
