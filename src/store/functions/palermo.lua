#!lua name=palermo

-- What must happen in Redis in one step. A script is isolated but never rolled back, so every function checks all that
-- it can before its first write. All keys stand in KEYS: undeclared ones would tear a commit while a slot moves.
-- Positions are decimal text and compared as text: Lua's numbers end at 2^53.
--
-- meta  hash: owner, next, fingerprint, pack, layout        seen  hash: source -> "offset:index"
-- alerts, marks  lists of sequence (36 characters) followed by the value

local SEQUENCE = 36

-- a > b for decimal text without leading zeros
local function later(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end

-- {owner before, next, fingerprint, layout, pack, seen as flat list, waiting alerts, waiting marks}
local function state_of(KEYS, before)
  local meta = redis.call('HMGET', KEYS[1], 'next', 'fingerprint', 'layout', 'pack')
  return { before, meta[1], meta[2], meta[3], meta[4], redis.call('HGETALL', KEYS[2]),
    redis.call('LLEN', KEYS[3]), redis.call('LLEN', KEYS[4]) }
end

-- Takes a partition over, whoever has it.
-- KEYS    meta, seen, alerts, marks
-- ARGV    owner (a fresh token), layout
-- returns {previous owner, next, fingerprint, layout, pack, seen, waiting alerts, waiting marks}; nothing is
--         written when the layout is another one (the caller compares)
local function claim(KEYS, ARGV)
  local state = state_of(KEYS, redis.call('HGET', KEYS[1], 'owner'))
  if state[4] and state[4] ~= ARGV[2] then return state end
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
  return state
end

-- Exchanges the caller's token for a fresh one, so that a commit under the old one that is still on its way fails.
-- KEYS    meta, seen, alerts, marks
-- ARGV    owner, fresh token
-- returns as claim; nil when the caller is not the owner
local function renew(KEYS, ARGV)
  if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return nil end
  local state = state_of(KEYS, ARGV[1])
  redis.call('HSET', KEYS[1], 'owner', ARGV[2])
  return state
end

-- Creates the position of a partition that has none, with an empty outbox and no pack in force.
-- KEYS    meta, seen, alerts, marks
-- ARGV    owner, next, fingerprint, layout
-- returns 1; 0 when a position is there or the caller is not the owner
local function init(KEYS, ARGV)
  local meta = redis.call('HMGET', KEYS[1], 'owner', 'next')
  if meta[1] ~= ARGV[1] or meta[2] then return 0 end
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  redis.call('HDEL', KEYS[1], 'pack')
  redis.call('HSET', KEYS[1], 'next', ARGV[2], 'fingerprint', ARGV[3], 'layout', ARGV[4])
  return 1
end

-- Writes what one batch changed and moves the position, or does nothing at all.
-- KEYS    meta, seen, alerts, marks, then one key for each entity
-- ARGV    owner, from, from's fingerprint, to, to's fingerprint, pack in force at to, number of seen, of alerts,
--         of marks, of whole values; then source and "offset:index" for each seen, the alerts, the marks (sequence and
--         value in one), the ttl of all entities in ms, and one value for each entity: the whole ones, then those to be
--         put behind what is stored
-- returns "OK", or "FENCED" and the reason
local function commit(KEYS, ARGV)
  local call = redis.call
  local meta = call('HMGET', KEYS[1], 'owner', 'next', 'fingerprint')
  if not meta[1] or not meta[2] then return 'FENCED the partition has no ' .. (meta[1] and 'position' or 'owner') end
  if meta[1] ~= ARGV[1] then return 'FENCED owned by ' .. meta[1] end
  if meta[2] ~= ARGV[2] then return 'FENCED next is ' .. meta[2] .. ', not ' .. ARGV[2] end
  if meta[3] ~= ARGV[3] then return 'FENCED the fingerprint before ' .. ARGV[2] .. ' differs' end
  local seen, alerts, marks, whole = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
  if not later(ARGV[4], ARGV[2]) then return redis.error_reply('PALERMO a commit must advance') end
  local values = 11 + 2 * seen + alerts + marks
  if #ARGV - values ~= #KEYS - 4 then return redis.error_reply('PALERMO keys and values differ in number') end
  -- Reading a key of another type fails here, before anything is written.
  call('HLEN', KEYS[2])
  local from = { 10 + 2 * seen, 10 + 2 * seen + alerts }
  local count = { alerts, marks }
  for lane = 1, 2 do
    local last = call('LINDEX', KEYS[2 + lane], -1)
    for i = from[lane] + 1, from[lane] + count[lane] do
      if last and ARGV[i]:sub(1, SEQUENCE) <= last:sub(1, SEQUENCE) then
        return redis.error_reply('PALERMO outbox out of order at ' .. ARGV[i]:sub(1, SEQUENCE))
      end
      last = ARGV[i]
    end
  end

  for i = 5 + whole, #KEYS do
    if call('STRLEN', KEYS[i]) == 0 then return redis.error_reply('PALERMO an addition to nothing: ' .. KEYS[i]) end
  end

  local ttl = ARGV[values]
  for i = 5, 4 + whole do call('SET', KEYS[i], ARGV[values + i - 4], 'PX', ttl) end
  -- The time to live stays: a tail is written whole at the latest when its events are two hours old.
  for i = 5 + whole, #KEYS do call('APPEND', KEYS[i], ARGV[values + i - 4]) end
  for i = 11, 9 + 2 * seen, 2 do call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
  for lane = 1, 2 do
    local i, last = from[lane] + 1, from[lane] + count[lane]
    while i <= last do
      -- unpack is bounded by Lua's stack.
      local stop = math.min(i + 1999, last)
      call('RPUSH', KEYS[2 + lane], unpack(ARGV, i, stop))
      i = stop + 1
    end
  end
  call('HSET', KEYS[1], 'next', ARGV[4], 'fingerprint', ARGV[5], 'pack', ARGV[6])
  return 'OK'
end

-- Deletes acknowledged entries from the head of a lane: those of the given sequences and no others, so that a late
-- call of a former owner takes nothing that is not published.
-- KEYS    lane
-- ARGV    sequences in order
-- returns how many entries still wait
local function published(KEYS, ARGV)
  local head = redis.call('LRANGE', KEYS[1], 0, #ARGV - 1)
  local at, gone = 1, 0
  for i = 1, #head do
    local sequence = head[i]:sub(1, SEQUENCE)
    while ARGV[at] and ARGV[at] < sequence do at = at + 1 end
    if ARGV[at] ~= sequence then break end
    gone = gone + 1
  end
  -- Asked first: a list that is emptied is gone, and while its slot moves a cluster refuses to be asked of what is gone.
  local waiting = redis.call('LLEN', KEYS[1]) - gone
  if gone > 0 then redis.call('LTRIM', KEYS[1], gone, -1) end
  return waiting
end

-- Takes away what a rebuild makes anew. Its entities are deleted afterwards: without a position nobody uses them.
-- KEYS    meta, seen, alerts, marks
local function forget(KEYS)
  redis.call('DEL', unpack(KEYS))
  return redis.status_reply('OK')
end

redis.register_function('palermo_claim', claim)
redis.register_function('palermo_renew', renew)
redis.register_function('palermo_init', init)
redis.register_function('palermo_commit', commit)
redis.register_function('palermo_published', published)
redis.register_function('palermo_forget', forget)
