import { createHash } from 'node:crypto';

/** A Lua script, run by its SHA-1 once the server knows it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/** Milliseconds since 1970 by the server's clock. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;
/** What tells an emptied server from a new one. */
const PRESENT = `if redis.call('EXISTS', KEYS[1]) == 0 then return {'gone'} end`;

/** KEYS: marker, order. → `{'ok', now, record or false}` */
export const READ = script(`
${PRESENT}
${NOW}
return {'ok', tostring(now), redis.call('HGET', KEYS[2], 'record')}`);

/**
 * Stores an order, if its version is still what was read, and if nobody else holds one of its names.
 * KEYS: marker, order, due, positions, names, attempts.
 * ARGV: id, version read (0: none), version, record, due (or ''), position, position read, attempt (or ''), attempt read,
 * number of names to take, those, those to free.
 * → `{'stored'}`, `{'changed'}` or `{'taken', name…}`
 */
export const WRITE = script(`
${PRESENT}
local version = redis.call('HGET', KEYS[2], 'version') or '0'
if version ~= ARGV[2] then return {'changed'} end
local last = 10 + tonumber(ARGV[10])
local taken = {'taken'}
for i = 11, last do
  local owner = redis.call('HGET', KEYS[5], ARGV[i])
  if owner and owner ~= ARGV[1] then taken[#taken + 1] = ARGV[i] end
end
if #taken > 1 then return taken end
for i = 11, last do redis.call('HSET', KEYS[5], ARGV[i], ARGV[1]) end
for i = last + 1, #ARGV do redis.call('HDEL', KEYS[5], ARGV[i]) end
redis.call('HSET', KEYS[2], 'version', ARGV[3], 'record', ARGV[4])
if ARGV[5] == '' then redis.call('ZREM', KEYS[3], ARGV[1]) else redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1]) end
if ARGV[6] ~= ARGV[7] then
  redis.call('ZREM', KEYS[4], ARGV[7])
  redis.call('ZADD', KEYS[4], 0, ARGV[6])
end
if ARGV[8] ~= ARGV[9] then
  if ARGV[9] ~= '' then redis.call('ZREM', KEYS[6], ARGV[9]) end
  if ARGV[8] ~= '' then redis.call('ZADD', KEYS[6], 0, ARGV[8]) end
end
return {'stored'}`);

/** KEYS: marker, due. ARGV: limit, 1 for those that waited longest. → `{'ok', now, id…}` */
export const DUE = script(`
${PRESENT}
${NOW}
local ids
if ARGV[2] == '1' then ids = redis.call('ZRANGE', KEYS[2], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
else ids = redis.call('ZRANGE', KEYS[2], now, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[1]) end
local reply = {'ok', tostring(now)}
for i = 1, #ids do reply[i + 2] = ids[i] end
return reply`);

/** `nextTurn` of the port. KEYS: marker, turns of a merchant. ARGV: intervalMs, aheadMs, furthestMs, withinMs. → `{'ok', waitMs}` or `{'late'}` */
export const TURN = script(`
${PRESENT}
${NOW}
local from = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now)
if from - now > tonumber(ARGV[3]) then from = now end
local wait = math.max(0, from - now - tonumber(ARGV[2]))
if wait > tonumber(ARGV[4]) then return {'late'} end
local free = from + tonumber(ARGV[1])
redis.call('SET', KEYS[2], string.format('%.3f', free), 'PX', math.ceil(free - now))
return {'ok', string.format('%.3f', wait)}`);

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
