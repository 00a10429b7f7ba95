-- Accounts with nearly equal inputs: how many keys of near-equality occur often enough for a neighbourhood. Hardly any
-- account has many; what these few asked is read by the follow-up. Keys are always six. Blocks are small because an
-- account's list of keys is long.
WITH
    -- Only who has enough inputs, and some of them like others, is looked at closely.
    candidates AS
    (
        SELECT account
        FROM exchange_features
        WHERE served AND NOT continued AND notEmpty(near)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
        HAVING uniqCombined(input) >= {minInputs:UInt32}
           AND uniqCombined(input) >= {minLikeness:Float64} * uniqCombined(near[1])
    ),
    asked AS
    (
        SELECT
            any(cityHash64(account)) AS owner,
            toUnixTimestamp(min(time)) AS first,
            [any(near[1]), any(near[2]), any(near[3]), any(near[4]), any(near[5]), any(near[6])] AS keys
        FROM exchange_features
        WHERE served AND NOT continued AND notEmpty(near) AND account IN candidates
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY cityHash64(account, input)
    ),
    -- Keys in the upper half of a number and the seconds of the input in the lower one. One key is shared by a part of
    -- the versions, half of them at least: so far apart in this order stand two within one sitting. Numbers of different
    -- keys lie further apart than any sitting lasts.
    keyed AS
    (
        SELECT
            owner,
            arraySort(groupArrayArray(arrayMap(key -> bitOr(bitShiftLeft(toUInt64(key), 32), first), keys))) AS ordered,
            toUInt32(ceil({minVersions:UInt32} / 2)) - 1 AS apart
        FROM asked
        GROUP BY owner
    )
SELECT
    names.account AS account,
    toUInt32(length(arrayDistinct(arrayMap(early -> bitShiftRight(early, 32), arrayFilter(
        (early, late) -> late - early < 3600 * {sittingHours:UInt32},
        arraySlice(ordered, 1, greatest(0, toInt64(length(ordered)) - apart)),
        arraySlice(ordered, apart + 1)
    ))))) AS large
FROM keyed
INNER JOIN
(
    SELECT account
    FROM exchange_features
    WHERE served AND time >= fromUnixTimestamp64Milli({fromMs:Int64}) AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account
) AS names ON cityHash64(names.account) = keyed.owner
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1, max_block_size = 4096
