local floor = math.floor
local bits_of_lua = bit or bit32
local NOTHING = "none"
-- Bytes over which checksums were made.
local work = 0

local function xor(one, other)
  if bits_of_lua then
    return bits_of_lua.bxor(one, other) % 4294967296
  end
  local result, place = 0, 1
  while one > 0 or other > 0 do
    if one % 2 ~= other % 2 then
      result = result + place
    end
    one, other, place = floor(one / 2), floor(other / 2), place * 2
  end
  return result
end

local function common(one, other)
  return floor((one + other - xor(one, other)) / 2)
end

local function byte(data, at)
  return data:byte(at + 1) or 0
end

-- Where the byte lies that is so many places above the lowest.
local function place_of(at, width, order, above)
  if order == "little" then
    return at + above
  elseif order == "big" then
    return at + width - 1 - above
  end
  return at + above + 1 - 2 * (above % 2) -- 16-bit words, the lowest first
end

local function unsigned(data, at, width, order)
  local number = 0
  for above = width - 1, 0, -1 do
    number = number * 256 + byte(data, place_of(at, width, order, above))
  end
  return number
end

-- So many bits from the lowest on, exact up to 53 of them.
local function bits(data, at, width, order, low, many)
  local number, place = 0, 1
  for bit_number = low, low + many - 1 do
    local one = byte(data, place_of(at, width, order, floor(bit_number / 8)))
    number = number + place * (floor(one / 2 ^ (bit_number % 8)) % 2)
    place = place * 2
  end
  return number
end

local function signed(number, many)
  return number >= 2 ^ (many - 1) and number - 2 ^ many or number
end

local function magnitude(number, many)
  return number >= 2 ^ (many - 1) and 2 ^ (many - 1) - number or number
end

local function ones(number)
  local many = 0
  while number > 0 do
    many, number = many + number % 2, floor(number / 2)
  end
  return many
end

local function float(data, at, width, order)
  local exponents, fractions = 8, 23
  if width == 8 then
    exponents, fractions = 11, 52
  end
  local fraction = bits(data, at, width, order, 0, fractions)
  local exponent = bits(data, at, width, order, fractions, exponents)
  local sign = bits(data, at, width, order, fractions + exponents, 1) == 1 and -1 or 1
  local most, bias = 2 ^ exponents - 1, 2 ^ (exponents - 1) - 1
  if exponent == most then
    return fraction == 0 and sign * math.huge or 0 / 0
  elseif exponent == 0 then
    return sign * fraction / 2 ^ fractions * 2 ^ (1 - bias)
  end
  return sign * (1 + fraction / 2 ^ fractions) * 2 ^ (exponent - bias)
end

local function bcd(data, at, width, order)
  local number = 0
  for above = width - 1, 0, -1 do
    local one = byte(data, place_of(at, width, order, above))
    local high, low = floor(one / 16), one % 16
    if high > 9 or low > 9 then
      return nil
    end
    number = number * 100 + high * 10 + low
  end
  return number
end

local function decimal(data, at, width)
  local written = data:sub(at + 1, at + width):match("^%d+")
  return written and tonumber(written, 10)
end

-- What hexadecimal digits write; -1 where they are none.
local function digits(data, at, width)
  local written = data:sub(at + 1, at + width)
  if #written < width or written:find("%X") then
    return -1
  end
  return tonumber(written, 16)
end

local function find(data, at, wanted)
  local found = data:find(wanted, at + 1, true)
  return found and found - 1 or -1
end

local function text(data, at, behind, kind)
  local said = data:sub(at + 1, behind)
  if kind == "cstring" then
    return said:match("^[^%z]*")
  elseif kind == "text" then
    return (said:gsub("%z+$", ""))
  end
  return (said:gsub(".", function(letter)
    return string.format("%02x", letter:byte())
  end))
end

-- Where behind a key of a text its value stands.
local function keyed(data, key)
  local at = 1
  while true do
    local begins, ends = data:find("\r\n", at, true)
    if not begins then
      return nil
    end
    local last = (data:find("\r\n", ends + 1, true) or #data + 1) - 1
    local tab = data:find("\t", ends + 1, true)
    if tab and tab <= last and data:sub(ends + 1, tab - 1) == key then
      return tab, last
    end
    at = ends + 1
  end
end

local function written_number(said)
  if said:match("^0[x]%x+$") then
    return tonumber(said:sub(3), 16)
  end
  return said:match("^[+-]?%d+$") and tonumber((said:gsub("^%+", "")), 10)
end

local function each_bit(number, many)
  local said = {}
  for index = 1, math.max(0, math.min(64, many)) do
    said[index], number = tostring(number % 2):sub(1, 1), floor(number / 2)
  end
  return table.concat(said)
end

local function flags(words, number)
  local said, index = {}, 0
  while number > 0 do
    if number % 2 == 1 then
      said[#said + 1] = words[index] or string.format("bit %d", index)
    end
    number, index = floor(number / 2), index + 1
  end
  return #said > 0 and table.concat(said, ", ") or NOTHING
end

local function named(names, number, otherwise)
  local name = names[number]
  if name == nil then
    return otherwise
  end
  return name
end

local function negative(holds, number)
  return holds and -number or number
end
