/**
 * Lua that finds its way in the lists of the audit log: elements begin with the short id of an entry, the
 * newest is first. Bytes are compared one by one, because Lua's own order is that of the server's locale.
 */
export const AUDIT_LISTS_IN_LUA = `
local function idOf(element) return string.sub(element, 1, 20) end
local function isOlder(one, other)
  for at = 1, 20 do
    local byte, otherByte = string.byte(one, at), string.byte(other, at)
    if byte ~= otherByte then return byte < otherByte end
  end
  return false
end
local function placeOfOlder(key, id)
  local low, high = 0, redis.call('LLEN', key)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isOlder(redis.call('LINDEX', key, middle), id) then high = middle else low = middle + 1 end
  end
  return low
end
local function linesOf(entry)
  return string.match(entry, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)(.*)$')
end
local function entryOf(head, user, ip, agent, rest)
  return head .. '\\n' .. user .. '\\n' .. ip .. '\\n' .. agent .. rest
end
local RUN = 16
local function wholeAt(key, at)
  local element = redis.call('LINDEX', key, at)
  if not element then return nil end
  local head, user, ip, agent, rest = linesOf(element)
  if not head then return element end
  while at > 0 and (user == '' or ip == '' or agent == '') do
    local from = math.max(0, at - RUN)
    local newer = redis.call('LRANGE', key, from, at - 1)
    for i = #newer, 1, -1 do
      local _, newerUser, newerIp, newerAgent = linesOf(newer[i])
      if user == '' then user = newerUser or '' end
      if ip == '' then ip = newerIp or '' end
      if agent == '' then agent = newerAgent or '' end
    end
    at = from
  end
  return entryOf(head, user, ip, agent, rest)
end
`
