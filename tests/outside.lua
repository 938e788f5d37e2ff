-- The load of outside.py: each request has its own key. WORK is transfer, payment or bulk (of 1,000); HOT makes one account pay always.
local keys, accounts, sent, run = {}, {}, 0, ""
local function lines(path) local all = {} for line in io.lines(path) do all[#all + 1] = line end return all end

function init()
  local random = io.open("/dev/urandom", "rb")
  for byte in random:read(8):gmatch(".") do run = run .. string.format("%02x", byte:byte()) end
  random:close()
  math.randomseed(tonumber(run:sub(1, 8), 16))
  keys = lines(os.getenv("KEYS"))
  for place, line in ipairs(lines(os.getenv("ACCOUNTS"))) do
    accounts[place] = {}
    for id in line:gmatch("%S+") do table.insert(accounts[place], id) end
  end
end

function request()
  sent = sent + 1
  local place = math.random(1, #keys)
  local own = accounts[place]
  local from = os.getenv("HOT") and 1 or math.random(1, #own)
  local to = math.random(1, #own)
  if to == from then to = to % #own + 1 end
  local headers = {
    ["Authorization"] = "Bearer " .. keys[place], ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = string.format("%s-%d", run, sent),
  }
  if os.getenv("WORK") == "payment" then
    return wrk.format("POST", "/v1/payments", headers, '{"amount":1099,"currency":"EUR","payment_method":"pm_succeeds"}')
  end
  if os.getenv("WORK") == "bulk" then
    local drafts = {}
    for number = 1, 1000 do
      local debit = math.random(1, #own)
      drafts[number] = string.format('{"kind":"load","postings":[{"debit":"%s","credit":"%s","amount":1,"currency":"EUR"}]}',
        own[debit], own[debit % #own + 1])
    end
    return wrk.format("POST", "/v1/transactions/bulk", headers, '{"atomic":false,"transactions":[' .. table.concat(drafts, ",") .. ']}')
  end
  local body = string.format('{"from":"%s","to":"%s","amount":1,"currency":"EUR"}', own[from], own[to])
  return wrk.format("POST", "/v1/transfers", headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("%d %.2f %.2f %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, failed))
end
