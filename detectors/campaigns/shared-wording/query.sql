-- Counts every opening or closing that several accounts share and hardly anybody repeats: who uses it, how much, how
-- persistently. An input counts as private when the account asked it at one sitting: several samples of one input and
-- retries come within minutes and count as one asking. What several accounts asked counts for each by its share, so that
-- the sum over the accounts is the number of different inputs. Shares are whole parts of 720720 (divisible by 1 to 16):
-- sums of whole numbers don't depend on their order, so that equal looks give equal rows.
-- Accounts go by their hashes, an account's inputs by one hash of both, and no vector is read: the judge asks for the few
-- wordings that its counts make suspect.
-- Of a wording with many users those count whose hashes begin with some zeros: enough of them, the same for all wordings.
WITH
    several AS
    (
        SELECT asked AS input, count() AS accounts
        FROM
        (
            SELECT any(input) AS asked
            FROM exchange_features
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
            GROUP BY cityHash64(account, input)
        )
        GROUP BY asked
        HAVING accounts > 1
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
        HAVING count() >= {minNullAccounts:UInt32} AND groupBitAnd(cityHash64(account)) != groupBitOr(cityHash64(account))
    ),
    -- An eighth of the accounts tells how many use a wording, and so how often its users are halved.
    (
        SELECT (groupArray(affix), groupArray(toUInt8(ceil(log2(8 * users / {wholeUsers:UInt32})))))
        FROM
        (
            SELECT affix, uniqExact(cityHash64(account)) AS users
            FROM exchange_features
            ARRAY JOIN affixes AS affix
            WHERE served AND NOT continued AND toUInt32(cityHash64(account)) < bitShiftLeft(toUInt64(1), 29)
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
            GROUP BY affix
            HAVING 8 * users > {wholeUsers:UInt32}
        )
    ) AS large,
    -- What an account asked once, as nearly all is, needs no group of its own: only the rest is held in memory.
    repeated AS
    (
        SELECT
            cityHash64(account, input) AS pair,
            min(leaf) AS exemplar,
            min(time) AS first,
            if(dateDiff('minute', first, max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY pair
        HAVING count() > 1
    ),
    asked AS
    (
        SELECT
            cityHash64(account) AS user,
            exchange_features.input AS input,
            if(repeated.askings = 0, 1, repeated.askings) AS askings,
            if(repeated.askings = 0, time, repeated.first) AS first,
            intDiv(toUnixTimestamp(first), 3600) AS hour,
            affixes
        FROM exchange_features
        LEFT JOIN repeated ON repeated.pair = cityHash64(account, input)
        WHERE served AND NOT continued AND (repeated.askings = 0 OR leaf = repeated.exemplar)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    users AS
    (
        SELECT
            affix,
            user,
            sum(askings) AS uses,
            countIf(askings = 1) AS inputs,
            sumIf(intDiv(720720, greatest(several.accounts, 1)), askings = 1) AS distinct,
            -- Hours as bits, three times: of a few, two rarely fall on one bit in all of them. Never too many.
            greatest(
                bitCount(groupBitOrIf(bitShiftLeft(toUInt64(1), hour % 64), askings = 1)),
                bitCount(groupBitOrIf(bitShiftLeft(toUInt64(1), hour % 63), askings = 1)),
                bitCount(groupBitOrIf(bitShiftLeft(toUInt64(1), hour % 61), askings = 1))
            ) AS hours,
            minIf(first, askings = 1) AS since,
            -- One fast run without an hour's pause is an evaluation or a sitting.
            maxIf(hour, askings = 1) - minIf(hour, askings = 1) + 1 AS span,
            hours >= arrayMin({hourLevels:Array(UInt32)})
                AND (hours < span OR span >= {wholeRunHours:UInt32} OR inputs < {runRate:UInt32} * hours) AS cameBack,
            inputs > 0 AND inputs >= {minOwnPrivateShare:Float64} * uses AS isPrivate
        FROM asked
        LEFT JOIN several ON several.input = asked.input
        ARRAY JOIN affixes AS affix
        WHERE affix IN frequent
          AND toUInt32(user) < bitShiftRight(bitShiftLeft(toUInt64(1), 32), transform(affix, large.1, large.2, toUInt8(0)))
        GROUP BY affix, user
    ),
    wordings AS
    (
        SELECT
            affix,
            count() AS sharers,
            sum(users.inputs) AS inputs,
            groupArrayIf(hours, isPrivate AND cameBack) AS worked,
            sumIf(user, isPrivate) AS fingerprint, -- modulo 2^64
            groupArraySortedIf({sketchSize:UInt32})(toUInt32(user), isPrivate) AS smallest,
            arraySort(groupArrayIf(since, isPrivate AND cameBack)) AS starts
        FROM users
        GROUP BY affix
        HAVING sharers >= {minNullAccounts:UInt32}
           AND inputs >= {minPrivateShare:Float64} * sum(users.uses)
           AND sum(users.distinct) / 720720 >= {minDistinctShare:Float64} * inputs
    )
SELECT
    toString(affix) AS affix,
    transform(wordings.affix, large.1, large.2, toUInt8(0)) AS halvings,
    toUInt32(sharers) AS sharers,
    toUInt32(inputs) AS inputs,
    arrayMap(level -> toUInt32(arrayCount(own -> own >= level, worked)), {hourLevels:Array(UInt32)}) AS hits,
    toString(fingerprint) AS fingerprint,
    if(length(starts) >= {minPersistent:UInt32}, arrayDistinct(smallest), []) AS users,
    arrayMap(start -> toFloat64(toUnixTimestamp64Milli(start)), starts) AS startsMs
FROM wordings
ORDER BY affix
