-- For every account: the facts that could link it (means of payment, organisation, mail domain, addresses), and
-- whether it works through a list: a wording of its own under which almost nothing occurs twice, over many hours.
-- What it asked under that wording is read by the follow-up, for the clusters that these counts make suspect.
-- Accounts go by their hashes, an account's inputs by one hash of both.
WITH
    -- In an account's wordings in order, one that stands at both ends of `minInputs` places is used so often.
    frequent AS
    (
        SELECT arrayJoin(arrayMap(affix -> cityHash64(account, affix), arrayDistinct(arrayFilter(
            (affix, later) -> affix = later,
            arraySlice(ordered, 1, greatest(0, toInt64(length(ordered)) - toInt64({minInputs:UInt32}) + 1)),
            arraySlice(ordered, {minInputs:UInt32})
        )))) AS pair
        FROM
        (
            SELECT account, arraySort(groupArrayArray(affixes)) AS ordered
            FROM exchange_features
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
            GROUP BY account
        )
    ),
    -- What an account asked once, as nearly all is, needs no group of its own: only the rest is held in memory.
    repeated AS
    (
        SELECT
            cityHash64(account, input) AS pair,
            min(leaf) AS exemplar,
            min(time) AS first,
            if(toStartOfHour(first) = toStartOfHour(max(time)), 1, count()) AS askings
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
            if(repeated.askings = 0, 1, repeated.askings) AS askings,
            if(repeated.askings = 0, time, repeated.first) AS first,
            arrayFilter(affix -> cityHash64(account, affix) IN frequent, affixes) AS wordings
        FROM exchange_features
        LEFT JOIN repeated ON repeated.pair = cityHash64(account, input)
        WHERE served AND NOT continued AND (repeated.askings = 0 OR leaf = repeated.exemplar)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    wordings AS
    (
        SELECT
            user,
            wording,
            count() AS inputs,
            uniqExact(toStartOfHour(first)) AS hours,
            min(first) AS since
        FROM asked
        ARRAY JOIN wordings AS wording
        GROUP BY user, wording
        HAVING inputs >= {minInputs:UInt32} AND inputs >= {minPrivateShare:Float64} * sum(askings)
    ),
    lists AS
    (
        SELECT user, argMax((wording, inputs, hours, since), (inputs, wording)) AS list
        FROM wordings
        GROUP BY user
    ),
    addresses AS
    (
        SELECT account, groupUniqArray({maxAddresses:UInt32})(ip) AS ips
        FROM exchange_features
        WHERE served AND ip != 0
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
    ),
    known AS
    (
        SELECT account, payment, organization, domain
        FROM account_facts FINAL
    )
SELECT
    addresses.account AS account,
    toString(known.payment) AS payment,
    toString(known.organization) AS organization,
    toString(known.domain) AS domain,
    arrayMap(x -> toString(x), addresses.ips) AS ips,
    toString(lists.list.1) AS wording,
    toUInt32(lists.list.2) AS inputs,
    toUInt32(lists.list.3) AS hours,
    toFloat64(toUnixTimestamp64Milli(lists.list.4)) AS sinceMs
FROM addresses
LEFT JOIN lists ON lists.user = cityHash64(addresses.account)
LEFT JOIN known ON known.account = addresses.account
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1
