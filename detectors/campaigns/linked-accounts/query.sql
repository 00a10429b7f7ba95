-- For every account: the facts that could link it (means of payment, organisation, mail domain, addresses), and
-- whether it works through a list: a wording of its own under which almost nothing occurs twice, over many hours.
-- What it asked under that wording is read by the follow-up, for the clusters that these counts make suspect.
WITH
    frequent AS
    (
        SELECT cityHash64(account, affix) AS pair
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY pair
        HAVING count() >= {minInputs:UInt32}
    ),
    asked AS
    (
        SELECT
            account,
            cityHash64(account) AS user,
            input,
            min(time) AS first,
            if(toStartOfHour(min(time)) = toStartOfHour(max(time)), 1, count()) AS askings,
            any(arrayFilter(affix -> cityHash64(account, affix) IN frequent, affixes)) AS wordings
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    ),
    wordings AS
    (
        SELECT
            user,
            any(account) AS account,
            affix,
            count() AS inputs,
            uniqExact(toStartOfHour(first)) AS hours,
            min(first) AS since
        FROM asked
        ARRAY JOIN wordings AS affix
        GROUP BY user, affix
        HAVING inputs >= {minInputs:UInt32} AND inputs >= {minPrivateShare:Float64} * sum(askings)
    ),
    lists AS
    (
        SELECT account, argMax((affix, inputs, hours, since), (inputs, affix)) AS list
        FROM wordings
        GROUP BY account
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
LEFT JOIN lists ON lists.account = addresses.account
LEFT JOIN known ON known.account = addresses.account
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1
