// The questions that the API asks for people: figures, series and lists of exchanges and accounts. Bounded by their callers.

const EXCHANGE_COLUMNS = `
  exchange, account, toFloat64(toUnixTimestamp64Milli(time)) AS time_ms, endpoint, model, status, served,
  prompt_tokens, completion_tokens`;

/** Everything a set of accounts ever did, taken as one. Parameters: accounts. */
export const SELECT_FIGURES: string = `
SELECT toUInt32(count()) AS exchanges, toUInt32(countIf(served = 0)) AS failed,
  toFloat64(sum(prompt_tokens)) AS prompt_tokens, toFloat64(sum(completion_tokens)) AS completion_tokens,
  toUInt32(uniqExactIf(skeleton, skeleton != 0)) AS skeletons, toUInt32(uniqExact(model)) AS models,
  toUInt32(uniqExactIf(ip, ip != 0)) AS networks,
  toFloat64(toUnixTimestamp64Milli(min(time))) AS first_ms, toFloat64(toUnixTimestamp64Milli(max(time))) AS last_ms
FROM exchange_features
WHERE account IN {accounts:Array(String)}`;

/** Figures of each account apart, busiest first. Parameters: accounts, limit. */
export const SELECT_ACCOUNT_FIGURES: string = `
SELECT account, toUInt32(count()) AS exchanges,
  toFloat64(sum(prompt_tokens)) AS prompt_tokens, toFloat64(sum(completion_tokens)) AS completion_tokens,
  toFloat64(toUnixTimestamp64Milli(min(time))) AS first_ms, toFloat64(toUnixTimestamp64Milli(max(time))) AS last_ms
FROM exchange_features
WHERE account IN {accounts:Array(String)}
GROUP BY account
ORDER BY exchanges DESC, account
LIMIT {limit:UInt32}`;

/** Activity of accounts taken together, in buckets of `seconds`. Parameters: accounts, seconds. */
export const SELECT_SERIES: string = `
SELECT toUInt32(intDiv(toUnixTimestamp(time), {seconds:UInt32}) * {seconds:UInt32}) AS bucket,
  toUInt32(count()) AS exchanges, toUInt32(uniqExact(account)) AS accounts,
  toFloat64(sum(prompt_tokens)) AS prompt_tokens, toFloat64(sum(completion_tokens)) AS completion_tokens
FROM exchange_features
WHERE account IN {accounts:Array(String)}
GROUP BY bucket
ORDER BY bucket`;

const OF_ACCOUNT = `
FROM exchange_features
WHERE account = {account:String} AND ({ending:String} = '' OR served = ({ending:String} = 'served'))`;

/** An account's exchanges, newest first. Parameters: account, ending ('', 'served', 'failed'), limit, offset. */
export const SELECT_EXCHANGES: string = `
SELECT ${EXCHANGE_COLUMNS}
${OF_ACCOUNT}
ORDER BY time DESC, exchange
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`;

/** How many `SELECT_EXCHANGES` goes through. Parameters: account, ending. */
export const COUNT_EXCHANGES: string = `SELECT toUInt32(count()) AS total ${OF_ACCOUNT}`;

/**
 * Newest exchange of each of the skeletons that most of the accounts share, or that one account uses most.
 * Parameters: accounts, limit.
 */
export const SELECT_EXEMPLARS: string = `
SELECT ${EXCHANGE_COLUMNS}
FROM exchange_features
WHERE account IN {accounts:Array(String)} AND served = 1 AND skeleton IN (
  SELECT skeleton FROM exchange_features
  WHERE account IN {accounts:Array(String)} AND served = 1
  GROUP BY skeleton
  ORDER BY uniqExact(account) DESC, count() DESC, skeleton
  LIMIT {limit:UInt32})
ORDER BY exchange_features.time DESC, exchange
LIMIT 1 BY skeleton
LIMIT {limit:UInt32}`;

/** One exchange. The account, where it is known, spares a scan of the table. Parameters: exchange, account or ''. */
export const SELECT_EXCHANGE: string = `
SELECT ${EXCHANGE_COLUMNS}, asn, country
FROM exchange_features
WHERE ({account:String} = '' OR account = {account:String}) AND exchange = {exchange:String}
LIMIT 1`;

const KNOWN_ACCOUNTS = `
FROM (
  SELECT account, count() AS exchanges_of, max(toUnixTimestamp64Milli(time)) AS last_of
  FROM exchange_features GROUP BY account
  UNION ALL
  SELECT account, toUInt64(0), toInt64(0) FROM account_facts)
WHERE {text:String} = '' OR positionCaseInsensitiveUTF8(account, {text:String}) > 0 OR account IN {named:Array(String)}`;

/**
 * Accounts with or without exchanges. Parameters: text (part of the name, or ''), named (further accounts that match),
 * by ('exchanges' or 'last'), sign (-1: most first), limit, offset.
 */
export const SELECT_ACCOUNTS_BY_ACTIVITY: string = `
SELECT account, toUInt32(sum(exchanges_of)) AS exchanges, toFloat64(max(last_of)) AS last_ms
${KNOWN_ACCOUNTS}
GROUP BY account
ORDER BY {sign:Int8} * if({by:String} = 'exchanges', toFloat64(exchanges), last_ms), account
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`;

/** How many `SELECT_ACCOUNTS_BY_ACTIVITY` goes through. Parameters: text, named. */
export const COUNT_ACCOUNTS: string = `SELECT toUInt32(uniqExact(account)) AS total ${KNOWN_ACCOUNTS}`;
