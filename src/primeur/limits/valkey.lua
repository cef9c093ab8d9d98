-- Answers one claim; limits/keeper.py says the same in Python, and one suite of tests holds both to it.
-- KEYS: the counter, the set of processes. ARGV: the process, the claim as JSON.
-- A counter is a hash: u:PLACE used there, o:PLACE:PROCESS granted and not used yet, hungry until when; of a bucket,
-- drained until when, and rest: 1/60,000 tokens that it has drained beyond whole ones.
local MINUTE, CALENDAR, FLIGHT, BUCKET = 0, 1, 2, 3
local SLICE_LIFE_MS, SLOT_MS, SLOTS, HUNGRY_MS = 2000, 1000, 61, 300

local function whole(number) return string.format('%.0f', number) end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local holder, claim = ARGV[1], cjson.decode(ARGV[2])
local way, limit, need, wish = claim.way, claim.limit, claim.need, claim.wish
local holders = redis.call('ZCARD', KEYS[2])

local used, out, hungry, drained, rest = {}, {}, 0, 0, 0
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  local name, value = flat[i], tonumber(flat[i + 1])
  if name == 'hungry' then
    hungry = value
  elseif name == 'drained' then
    drained = value
  elseif name == 'rest' then
    rest = value
  else
    local kind, place, who = string.match(name, '^(%a):([^:]*):?(.*)$')
    if kind == 'u' then used[place] = value else out[name] = { place = place, who = who, units = value } end
  end
end

local alive = {}
local function lives(who)
  if alive[who] == nil then alive[who] = redis.call('ZSCORE', KEYS[2], who) ~= false end
  return alive[who]
end

local oldest = math.floor(now / SLOT_MS) - SLOTS
for place in pairs(used) do
  local gone
  if way == MINUTE then gone = tonumber(place) <= oldest
  elseif way == FLIGHT then gone = not lives(place)
  elseif way == BUCKET then gone = false
  else gone = tonumber(place) < tonumber(claim.field) end
  if gone then
    used[place] = nil
    redis.call('HDEL', KEYS[1], 'u:' .. place)
  end
end
if way == BUCKET then
  local total = math.min(math.max(0, now - drained), 120000) * limit + rest
  local level = math.max(0, (used[''] or 0) - math.floor(total / 60000))
  used[''] = level
  redis.call('HSET', KEYS[1], 'u:', whole(level), 'drained', whole(math.max(now, drained)), 'rest', whole(total % 60000))
end
for name, one in pairs(out) do
  if one.units == 0 or used[one.place] == nil or not lives(one.who) then
    out[name] = nil
    redis.call('HDEL', KEYS[1], name)
  end
end

local place = claim.field
if way == MINUTE then place = whole(math.floor((now + SLICE_LIFE_MS) / SLOT_MS)) end
if way == CALENDAR and used[place] == nil then
  if claim.floor == cjson.null or claim.floor == nil then
    return { '0', place, '0', '0', 0, '0', holders, 1 }
  end
  used[place] = claim.floor
  redis.call('HSET', KEYS[1], 'u:' .. place, whole(claim.floor))
end

local function change_used(where, units)
  used[where] = (used[where] or 0) + units
  redis.call('HINCRBY', KEYS[1], 'u:' .. where, whole(units))
end
local function change_out(where, units)
  local name = 'o:' .. where .. ':' .. holder
  if out[name] == nil then out[name] = { place = where, who = holder, units = 0 } end
  out[name].units = out[name].units + units
  redis.call('HINCRBY', KEYS[1], name, whole(units))
end
for _, pair in ipairs(claim.spent) do
  if out['o:' .. pair[1] .. ':' .. holder] or (pair[2] < 0 and used[pair[1]] ~= nil) then change_out(pair[1], -pair[2]) end
end
for _, pair in ipairs(claim.unspent) do
  if used[pair[1]] ~= nil then change_used(pair[1], -pair[2]) end
  if out['o:' .. pair[1] .. ':' .. holder] then change_out(pair[1], -pair[2]) end
end
for _, pair in ipairs(claim.back) do
  if used[pair[1]] ~= nil or (way == MINUTE and tonumber(pair[1]) > oldest) then change_used(pair[1], -pair[2]) end
end

if way == BUCKET and used[''] < 0 then change_used('', -used['']) end

local left = limit
for _, units in pairs(used) do left = left - units end
local units = 0
if way == BUCKET and need > 0 and left > 0 and need >= left then
  units = need
elseif need > 0 and left >= need then
  if hungry > now then units = need
  else units = math.min(left, math.max(need, math.min(wish, math.floor(left / (2 * math.max(1, holders)))))) end
end
if units > 0 then
  change_used(place, units)
  change_out(place, units)
end
local outstanding = 0
for _, one in pairs(out) do
  if one.who ~= holder then outstanding = outstanding + one.units end
end
if need > 0 and units == 0 and outstanding > 0 then
  hungry = now + HUNGRY_MS
  redis.call('HSET', KEYS[1], 'hungry', whole(hungry))
end

local wait = 1000
if need > left and way == CALENDAR then wait = math.max(1, claim.ends_ms - now)
elseif way == BUCKET then wait = math.floor(math.max(0, -left) * 60000 / limit) + 1
elseif need > left and way == MINUTE then
  wait = SLOTS * SLOT_MS
  local slots, short = {}, need - left
  for slot in pairs(used) do slots[#slots + 1] = tonumber(slot) end
  table.sort(slots)
  for _, slot in ipairs(slots) do
    short = short - used[whole(slot)]
    if short <= 0 then
      wait = math.max(1, (slot + SLOTS) * SLOT_MS - now)
      break
    end
  end
end

if way == MINUTE or way == BUCKET then redis.call('PEXPIRE', KEYS[1], 2 * SLOTS * SLOT_MS)
elseif way == CALENDAR and claim.ends_ms < 9e15 then redis.call('PEXPIREAT', KEYS[1], whole(claim.ends_ms + 3600000)) end

return {
  whole(units), place, whole(left - units), whole(outstanding), hungry > now and 1 or 0, whole(wait), holders, 0,
}
