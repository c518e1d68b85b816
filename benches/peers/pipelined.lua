-- For wrk: sixteen requests in each write, so that they arrive stuck together. wrk counts the answers.
local depth = 16

init = function()
  local requests = string.rep(wrk.format(), depth)
  request = function() return requests end
end
