-- Each request asks with another query, so that no cache has seen it.
local count = 0
local start = tostring(os.time())

function request()
  count = count + 1
  local joint = string.find(wrk.path, "?", 1, true) and "&" or "?"
  return wrk.format(nil, wrk.path .. joint .. "asked=" .. start .. count)
end
