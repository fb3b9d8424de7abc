-- One chat request as an SDK writes it, over and over; prints what was answered.
local body = os.getenv("BENCH_BODY")

function init()
  request_bytes = wrk.format("POST", nil, {
    ["Accept"] = "application/json",
    ["Accept-Encoding"] = "identity",
    ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY"),
    ["Content-Type"] = "application/json",
    ["User-Agent"] = "OpenAI/Python 3.54.0",
    ["X-Stainless-Arch"] = "x64",
    ["X-Stainless-Async"] = "false",
    ["X-Stainless-Lang"] = "python",
    ["X-Stainless-OS"] = "Linux",
    ["X-Stainless-Package-Version"] = "3.54.0",
    ["X-Stainless-Retry-Count"] = "0",
    ["X-Stainless-Runtime"] = "CPython",
  }, body)
end

function request()
  return request_bytes
end

function done(summary)
  local wrong = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format("answered=%d wrong=%d\n", summary.requests, wrong))
end
