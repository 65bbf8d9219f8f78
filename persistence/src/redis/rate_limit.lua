-- The generic cell rate algorithm for several keys at once, by this server's clock.
--
-- A key holds the instant, in microseconds, at which everything that it has spent will have come back.
-- ARGV[1]: 'ask' spends from every key or, where one of them has too little, from none.
--          'tell' spends what was spent elsewhere already, also where it is too much.
-- ARGV then has for each key: the microseconds in which one request comes back, the burst, the requests to spend.
-- Answers for each key: the microseconds to wait (0: none), and those until everything will have come back.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local tell = ARGV[1] == 'tell'
local admitted = true
local before, after, answer = {}, {}, {}
for i = 1, #KEYS do
  local interval, burst, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local whole = interval * burst
  local ahead = math.max((tonumber(redis.call('GET', KEYS[i])) or 0) - now, 0)
  -- A clock that was set back must not shut anybody out for long, nor a debt.
  ahead = math.min(ahead, 2 * whole)
  before[i], after[i] = ahead, ahead + interval * cost
  local wait = after[i] - whole
  if tell then
    after[i] = math.min(after[i], 2 * whole)
    -- Who could not spend one more has to wait until they can.
    wait = after[i] + interval - whole
  end
  answer[2 * i - 1] = math.max(wait, 0)
  if wait > 0 and not tell then admitted = false end
end
for i = 1, #KEYS do
  local ahead = admitted and after[i] or before[i]
  answer[2 * i] = ahead
  if admitted and ahead > 0 then
    -- Not tostring: it rounds to 14 digits.
    redis.call('SET', KEYS[i], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
  end
end
return answer
