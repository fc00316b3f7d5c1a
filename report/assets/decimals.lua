-- Numbers of a column that is set to the right stand with their units digits below each other.
--
-- Behind a number comes its tail: decimals, per cent, a deviation. Each cell gets what its tail
-- lacks of the characters that any tail of the column has, unseen, so that all tails are of one
-- width (digits are of one width in tables). The text itself, which is copied, read aloud and
-- checked, stays as it is. Both engines run this filter.

local grouping = "."
local space = utf8.codepoint(" ")
local hard_space = utf8.codepoint("\u{a0}")
local zero, nine = utf8.codepoint("0"), utf8.codepoint("9")

local function read_language(meta)
  local language = meta.lang and pandoc.utils.stringify(meta.lang) or ""
  grouping = language:sub(1, 2) == "pt" and "." or ","
end

-- What comes behind the units digit; nil where a cell does not begin with a number.
local function tail(text)
  if text == "–" then
    return ""
  end
  local units = text:gsub("^−", "-"):match("^[-+]?%d+()")
  if not units then
    return nil
  end
  local rest = text:gsub("^−", "-"):sub(units)
  while rest:match("^%" .. grouping .. "%d%d%d%f[%D]") do
    rest = rest:sub(5)
  end
  return rest
end

local function characters(text)
  local counts = {}
  for _, code in utf8.codes(text) do
    if code > zero and code <= nine then
      code = zero
    elseif code == space then
      code = hard_space
    end
    counts[code] = (counts[code] or 0) + 1
  end
  return counts
end

local function missing(counts, widest)
  local codes = {}
  for code, count in pairs(widest) do
    for _ = 1, count - (counts[code] or 0) do
      table.insert(codes, code)
    end
  end
  table.sort(codes)
  return #codes > 0 and utf8.char(table.unpack(codes)) or ""
end

-- How many digits stand in a line of the PDF, and how many a column's margin to the right takes: an
-- unseen tail does not break, and would push a number that has no room onto the column before it.
local line, margin = 106, 1
local widths = { [","] = 0.5, ["."] = 0.5, ["%"] = 1.7, ["\u{a0}"] = 0.5 }

local function has_room(spec, block, pad)
  local width = 0
  for _, code in utf8.codes(pandoc.utils.stringify(block):match("[^ ]*$") .. pad) do
    width = width + (widths[utf8.char(code)] or 1)
  end
  return FORMAT ~= "typst" or not spec[2] or width <= spec[2] * line - margin
end

local function unseen(text)
  if FORMAT == "typst" then
    return pandoc.RawInline("typst", '#hide("' .. text .. '")')
  end
  -- A stylesheet shows the attribute, so that it is no text of the page.
  return pandoc.Span({}, pandoc.Attr("", { "pad" }, { { "data-pad", text } }))
end

local function each_cell(tbl, column, act)
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      local cell = row.cells[column]
      local block = cell and #cell.contents == 1 and cell.contents[1]
      local rest = block and block.content and tail(pandoc.utils.stringify(block))
      if rest then
        act(block, characters(rest))
      end
    end
  end
end

local function align(tbl)
  for column, spec in ipairs(tbl.colspecs) do
    if spec[1] == "AlignRight" then
      local widest, fits = {}, true
      each_cell(tbl, column, function(_, counts)
        for code, count in pairs(counts) do
          widest[code] = math.max(widest[code] or 0, count)
        end
      end)
      each_cell(tbl, column, function(block, counts)
        fits = fits and has_room(spec, block, missing(counts, widest))
      end)
      each_cell(tbl, column, function(block, counts)
        local pad = missing(counts, widest)
        if pad ~= "" and fits then
          block.content:insert(unseen(pad))
        end
      end)
    end
  end
  return tbl
end

function Pandoc(document)
  if FORMAT ~= "typst" and not FORMAT:match("^html") then
    return nil
  end
  read_language(document.meta)
  document.blocks = document.blocks:walk({ Table = align })
  return document
end
