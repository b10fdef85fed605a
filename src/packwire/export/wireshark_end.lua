
-- Seconds after which the rest of a frame no longer comes.
local PAUSE = 1
-- Of frames that turn out to be none, so many bytes may be checked for each byte, and so many beyond that.
local MOST_CHECKED, FREE = 32, 65536

local function field_of_wireshark(name)
  local there, found = pcall(Field.new, name)
  return there and found or nil
end

-- Where bytes of the protocol may be: the field, those that tell conversations apart.
local SOURCES = {}
for _, names in ipairs({
  { "btatt.value", "btatt.handle" },
  { "tcp.payload", "tcp.stream", "tcp.srcport" },
  { "btspp.data", "btrfcomm.dlci" },
  { "usb.capdata", "usb.src", "usb.dst" },
}) do
  local source = { name = names[1], value = field_of_wireshark(names[1]), keys = {} }
  for index = 2, #names do
    source.keys[#source.keys + 1] = field_of_wireshark(names[index])
  end
  SOURCES[#SOURCES + 1] = source.value and source or nil
end
local opcode_field = field_of_wireshark("btatt.opcode")
local repeated_field = field_of_wireshark("tcp.analysis.retransmission")
local can_id_field = field_of_wireshark("can.id")
local DEVICE_SAYS = { [0x1b] = true, [0x1d] = true, [0x0b] = true }

local conversations, seen = {}, {}

function protocol.init()
  conversations, seen = {}, {}
end

local function conversation(key)
  local found = conversations[key] or { rest = "", last = 0, known = {}, bytes = 0, wasted = 0 }
  conversations[key] = found
  return found
end

local function without_end(frame, framing)
  local data = frame:sub(1, #frame - framing.tail)
  if not framing.digits then
    return data
  end
  local said = data:sub(framing.lead + 1)
  if #said % 2 == 1 or said:find("%X") then
    return ""
  end
  return data:sub(1, framing.lead) .. said:gsub("%x%x", function(two)
    return string.char(tonumber(two, 16))
  end)
end

local function reply_of(data, whole)
  for _, reply in ipairs(REPLIES) do
    if reply.begins(data, #data, whole) then
      return reply
    end
  end
end

local function nothing() end

-- What a frame is: the words for it, and how it is decoded.
local function recognised(frame, framing, known, device)
  if device ~= true then
    for _, request in ipairs(REQUESTS) do
      if request.is(frame, #frame) then
        return { data = frame, words = request.name }
      end
    end
  end
  if device == false then
    return { data = frame, words = "unknown request" }
  end
  local data = framing and without_end(frame, framing) or frame
  local reply = reply_of(data, #frame)
  if not reply then
    return { data = frame, words = "unknown message" }
  end
  data = framing and data or data:sub(5)
  local before = {}
  for key, number in pairs(known) do
    before[key] = number
  end
  reply.decode(data, #data, known, nothing)
  local shown = (framing and not framing.digits) and frame or data
  return { data = shown, read = data, words = reply.name, decode = reply.decode, known = before }
end

local function frames_in(talk, bytes, now, device)
  if #talk.rest > 0 and now - talk.last > PAUSE then
    bytes, talk.rest = talk.rest:sub(2) .. bytes, ""
  end
  talk.bytes = talk.bytes + #bytes
  local stream, at, found = talk.rest .. bytes, 0, {}
  while at < #stream and talk.wasted <= FREE + MOST_CHECKED * talk.bytes do
    local size, framing, waits, before = 0, nil, false, work
    for _, each in ipairs(FRAMINGS) do
      local said = each.frame(stream, #stream, at)
      if said > 0 then
        size, framing = said, each
        break
      end
      waits = waits or said < 0
    end
    talk.wasted = talk.wasted + math.max(0, work - before - size)
    if framing then
      found[#found + 1] = recognised(stream:sub(at + 1, at + size), framing, talk.known, device)
      at = at + size
    elseif waits then
      break
    else
      at = at + 1
    end
  end
  local gave_up = talk.wasted > FREE + MOST_CHECKED * talk.bytes
  talk.rest, talk.last = gave_up and "" or stream:sub(at + 1), now
  return found
end

local function collected(tvb, pinfo)
  local found = {}
  if IS_CAN then
    local id = can_id_field and can_id_field()
    if id then
      local at = id.range:offset()
      local size = math.min(tvb(at + 4, 1):uint(), tvb:len() - at - 8)
      local frame = tvb(at, 4):bytes():raw() .. (size > 0 and tvb(at + 8, size):bytes():raw() or "")
      local is = recognised(frame, nil, conversation("can").known, true)
      found[1] = is.decode and is or nil
    end
    return found
  end
  if repeated_field and repeated_field() then
    return found
  end
  for _, source in ipairs(SOURCES) do
    local device
    if source.name == "btatt.value" and opcode_field and opcode_field() then
      device = DEVICE_SAYS[opcode_field().value] or false
    end
    for _, each in ipairs({ source.value() }) do
      local key = { source.name, tostring(pinfo.src), tostring(pinfo.dst) }
      for _, field in ipairs(source.keys) do
        local value = field()
        key[#key + 1] = value and tostring(value.value) or "-"
      end
      local talk = conversation(table.concat(key, "|"))
      for _, frame in ipairs(frames_in(talk, each.range:bytes():raw(), pinfo.rel_ts, device)) do
        found[#found + 1] = frame
      end
    end
  end
  return found
end

local function value_words(value)
  if type(value) == "number" then
    return string.format("%.10g", value)
  end
  return type(value) == "boolean" and (value and "yes" or "no") or value
end

local function shown_in(tree, range)
  return function(number, at, size, value, index)
    local field = SHOWN[number]
    value = field.of(value)
    if value == nil then
      return
    end
    local words = (index and string.gsub(field.each, "#", tostring(floor(index))) or field.name)
    local item = tree:add(field.field, range(at, size), value)
    item:set_text(words .. ": " .. value_words(value) .. field.unit)
  end
end

function protocol.dissector(tvb, pinfo, tree)
  if not pinfo.visited then
    local found = collected(tvb, pinfo)
    seen[pinfo.number] = #found > 0 and found or nil
  end
  for _, frame in ipairs(seen[pinfo.number] or {}) do
    local whole = ByteArray.new(frame.data, true):tvb(TITLE)
    local branch = tree:add(protocol, whole(), TITLE .. ": " .. frame.words)
    branch:add(message_field, whole(), frame.words):set_text("Message: " .. frame.words)
    if frame.decode then
      local known = {}
      for key, number in pairs(frame.known) do
        known[key] = number
      end
      frame.decode(frame.read, #frame.read, known, shown_in(branch, function(at, size)
        return whole(math.min(at, whole:len()), math.min(size, whole:len() - math.min(at, whole:len())))
      end))
    end
    pinfo.cols.info:append("  " .. TITLE .. " " .. frame.words)
  end
end

register_postdissector(protocol)
