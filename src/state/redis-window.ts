// The sliding window in Redis or Valkey: rate-limiter-flexible speaks to the server, a script of ours counts there.
import type { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { type Count, PARTS } from "./sliding-window.ts";

/**
 * The same steps as `SlidingWindow`, on the server and by its clock: one call is one step, whoever else calls. KEYS[1]
 * is a hash from the number of a part to what was taken in it. ARGV, as the library passes it: amount (negative: given
 * back), the call's duration, the limit, the limiter's duration in seconds. A call with another duration than the
 * limiter's is a charge: it is added beyond the limit, too. Returns what is used, with a refused amount counted, and
 * the milliseconds of `Count.resetMs`.
 */
const SCRIPT = `
local PARTS = ${PARTS}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local amount, limit, seconds = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_charge = tonumber(ARGV[2]) ~= seconds
local part_ms = seconds * 1000 / PARTS
local running = math.floor(now / part_ms)
local fields = redis.call('HGETALL', KEYS[1])
local parts, used = {}, 0
for at = 1, #fields, 2 do
  local number, taken = tonumber(fields[at]), tonumber(fields[at + 1])
  if number < running - PARTS then redis.call('HDEL', KEYS[1], fields[at])
  else
    parts[#parts + 1] = { number, taken }
    used = used + taken
  end
end
local function free_ms(part) return math.max(0, math.ceil((part + PARTS + 1) * part_ms - now)) end
local function over_ms(wanted)
  table.sort(parts, function(a, b) return a[1] < b[1] end)
  local left, last = used, running
  for _, part in ipairs(parts) do
    left = left - part[2]
    last = part[1]
    if left + wanted <= limit then break end
  end
  return free_ms(last)
end
local name = string.format('%.0f', running)
if amount < 0 then
  local taken = tonumber(redis.call('HGET', KEYS[1], name) or '0')
  if taken + amount >= 0 then
    redis.call('HINCRBY', KEYS[1], name, amount)
    used = used + amount
  end
  return { used, free_ms(running) }
end
if not is_charge and used + amount > limit then return { used + amount, over_ms(amount) } end
redis.call('HINCRBY', KEYS[1], name, amount)
redis.call('PEXPIRE', KEYS[1], free_ms(running))
used = used + amount
if is_charge and used >= limit then
  parts[#parts + 1] = { running, amount }
  return { used, over_ms(1) }
end
return { used, free_ms(running) }
`;

export class RedisWindow {
  readonly #limiter: RateLimiterRedis;
  readonly #windowSeconds: number;

  constructor(
    redis: Redis,
    { name, limit, windowSeconds }: { name: string; limit: number; windowSeconds: number },
  ) {
    this.#windowSeconds = windowSeconds;
    this.#limiter = new RateLimiterRedis({
      ...{ storeClient: redis, keyPrefix: `adyton:${name}`, points: limit, duration: windowSeconds },
      rejectIfRedisNotReady: true,
      customIncrTtlLuaScript: SCRIPT,
    });
  }

  /** As `SlidingWindow.take`. @throws Error when Redis can't be reached */
  async take(key: string, amount: number): Promise<Count> {
    try {
      return this.#countOf(await this.#limiter.consume(key, amount), true);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const remaining = Math.max(0, this.#limiter.points - (refusal.consumedPoints - amount));
      return { ...this.#countOf(refusal, false), remaining };
    }
  }

  /** As `SlidingWindow.charge`. @throws Error when Redis can't be reached */
  async charge(key: string, amount: number): Promise<Count> {
    const result = await this.#limiter.penalty(key, amount, { customDuration: this.#windowSeconds + 1 });
    return this.#countOf(result, result.consumedPoints < this.#limiter.points);
  }

  /** As `SlidingWindow.giveBack`. @throws Error when Redis can't be reached */
  async giveBack(key: string, amount: number): Promise<void> {
    await this.#limiter.reward(key, amount);
  }

  #countOf({ remainingPoints, msBeforeNext }: RateLimiterRes, isWithin: boolean): Count {
    return { isWithin, remaining: Math.max(0, remainingPoints), resetMs: Math.max(0, msBeforeNext) };
  }
}
