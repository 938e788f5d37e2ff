-- Sends the requests in the file REQUESTS, one after the other from number FROM on. A NUL stands between two requests. At the end
-- of the file it begins again, or with ONCE it sends requests that are refused, so that they count as failed.
local requests, place = {}, tonumber(os.getenv("FROM") or "0")
local once = os.getenv("ONCE")

function init()
  local file = io.open(os.getenv("REQUESTS"), "rb")
  for request in file:read("*a"):gmatch("[^%z]+") do requests[#requests + 1] = request end
  file:close()
end

function request()
  place = place + 1
  if place > #requests then
    if once then return "GET /used-up HTTP/1.1\r\nHost: florin\r\n\r\n" end
    place = 1
  end
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("%d %d %.2f %.2f %d %d\n", summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.status, broken))
end
