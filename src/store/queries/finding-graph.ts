// The questions behind a finding's graph: when each of its accounts was active, and which facts they share. Bounded by
// the accounts they name, by time, and by a limit each.

/**
 * Exchanges of each account in each bucket of time, numbered from the epoch. Parameters: accounts (few), bucketMs,
 * limit.
 */
export const SELECT_LANE_MARKS: string = `
SELECT account, toFloat64(intDiv(toUnixTimestamp64Milli(time), {bucketMs:Int64})) AS bucket,
  toUInt32(count()) AS exchanges
FROM exchange_features
WHERE account IN {accounts:Array(String)}
GROUP BY account, bucket
ORDER BY account, bucket
LIMIT {limit:UInt32}`;

/**
 * Facts that two or more of a few accounts have in common, read from the newest exchanges of each. Facts of one kind
 * that exactly the same accounts share are told once (the many hashes of one template), with their number. "Exactly the
 * same" is judged by the sum of the accounts' hashes.
 * Parameters: accounts (few), rows (exchanges read of each), perKind.
 */
export const SELECT_SHARED_FACTS: string = `
SELECT kind, min(value) AS hash, toUInt32(count()) AS alike, any(holders) AS holders
FROM
(
  SELECT kind, value, count() AS holders, sum(cityHash64(account)) AS signature
  FROM
  (
    SELECT DISTINCT account, fact.1 AS kind, fact.2 AS value
    FROM
    (
      SELECT account, network, client, system, affixes
      FROM exchange_features
      WHERE account IN {accounts:Array(String)}
      ORDER BY account, time DESC
      LIMIT {rows:UInt32} BY account
    )
    ARRAY JOIN arrayConcat([('network', network), ('client', client), ('system', system)],
      arrayMap(affix -> ('wording', affix), affixes)) AS fact
    UNION ALL
    SELECT account, fact.1 AS kind, fact.2 AS value
    FROM account_facts FINAL
    ARRAY JOIN [('payment', payment), ('organization', organization), ('domain', domain)] AS fact
    WHERE account IN {accounts:Array(String)}
  )
  WHERE value != 0
  GROUP BY kind, value
  HAVING holders >= 2
)
GROUP BY kind, signature
ORDER BY holders DESC, alike DESC, hash
LIMIT {perKind:UInt32} BY kind`;

const IN_TIME = `
  time >= fromUnixTimestamp64Milli({fromMs:Int64}) AND time < fromUnixTimestamp64Milli({untilMs:Int64})`;
const HELD_BY = `
  toUInt32(uniqExactIf(account, account IN {members:Array(String)})) AS members,
  toUInt32(uniqExactIf(account, account NOT IN {members:Array(String)})) AS others,
  groupUniqArrayIf(account, account IN {drawn:Array(String)}) AS lanes`;

const ofExchanges = (column: "network" | "client" | "system"): string => `
SELECT '${column}' AS kind, ${column} AS hash, ${HELD_BY}
FROM exchange_features
WHERE ${column} IN {${column}:Array(UInt64)} AND ${IN_TIME}
GROUP BY hash`;

const ofAccounts = (column: "payment" | "organization" | "domain"): string => `
SELECT '${column}' AS kind, ${column} AS hash, ${HELD_BY}
FROM account_facts FINAL
WHERE ${column} IN {${column}:Array(UInt64)}
GROUP BY hash`;

/**
 * Who holds each of a few facts, within a finding and outside it, between two times. The row of kind '' counts
 * everybody who was active then.
 * Parameters: members, drawn (a few of these), fromMs, untilMs, and for each kind the hashes asked for.
 */
export const SELECT_FACT_HOLDERS: string = `${[
  `SELECT '' AS kind, toUInt64(0) AS hash, ${HELD_BY}
FROM exchange_features
WHERE ${IN_TIME}`,
  ofExchanges("network"),
  ofExchanges("client"),
  ofExchanges("system"),
  `SELECT 'wording' AS kind, affix AS hash, ${HELD_BY}
FROM exchange_features
ARRAY JOIN arrayFilter(one -> one IN {wording:Array(UInt64)}, affixes) AS affix
WHERE ${IN_TIME}
GROUP BY hash`,
  ofAccounts("payment"),
  ofAccounts("organization"),
  ofAccounts("domain"),
].join("\nUNION ALL\n")}`;
