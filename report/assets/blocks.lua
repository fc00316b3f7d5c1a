-- What pandoc and Quarto leave to the report: its fenced divs and tables without a caption as
-- functions of typst-template.typ, pictures without a caption, and boxes that scroll in the page.
-- Both engines run this filter, Quarto after it has rendered the floats (`at: post-render`).

local FUNCTIONS = {
  resumo = "summary-box",
  aviso = "notice-box",
  autoria = "byline-block",
  nota = "note-block",
  referencias = "references-block",
}

-- What an author goes on with, in a word processor, a journal's class or its production.
local IS_MANUSCRIPT = FORMAT == "latex" or FORMAT == "docx" or FORMAT:match("^jats") ~= nil

-- Where a value comes from is shown by the page alone.
function Span(span)
  if FORMAT == "typst" and span.classes:includes("v") or IS_MANUSCRIPT then
    return span.content
  end
end

-- A name with a hyphen, as CIFAR-10, is not broken in the page's title.
function Meta(meta)
  if FORMAT:match("^html") and pandoc.utils.type(meta.title) == "Inlines" then
    meta.title = meta.title:walk({
      Str = function(str)
        if str.text:match("%a%-%d") then
          return pandoc.Span({ str }, pandoc.Attr("", { "whole" }))
        end
      end,
    })
    return meta
  end
end

-- The page has the commands that check each claim, folded; paper and manuscripts, those of the first.
function Link(link)
  if (FORMAT == "typst" or IS_MANUSCRIPT) and link.target:match("^#confira%-") then
    link.target = "#confira"
    return link
  end
end

local function folded(div)
  if not FORMAT:match("^html") then
    return {}
  end
  local claim = div.identifier:gsub("^confira%-", "")
  local commands = div.attributes.commands:gsub("; ", "\n")
  return {
    pandoc.RawBlock("html", "<details><summary>"),
    pandoc.Plain({ pandoc.Str(claim .. ": " .. div.attributes.verdict) }),
    pandoc.RawBlock("html", "</summary>"),
    pandoc.CodeBlock(commands, pandoc.Attr(div.identifier)),
    pandoc.RawBlock("html", "</details>"),
  }
end

-- The sign of a verdict has a colour, which is not all that tells it from the others.
local SIGNS = {
  ["✓"] = "supported",
  ["◐"] = "supported",
  ["✗"] = "contradicted",
  ["◇"] = "depends",
}

function Str(text)
  local outcome = SIGNS[text.text]
  if outcome and FORMAT == "typst" then
    return pandoc.RawInline("typst", "#" .. outcome .. "-sign[" .. text.text .. "]")
  elseif outcome and FORMAT:match("^html") then
    return pandoc.Span({ text }, pandoc.Attr("", { "sign", outcome }))
  end
end

-- pandoc escapes for Typst what would begin a paragraph as a heading or an item, but not a cell.
function Plain(plain)
  local first = plain.content[1]
  if FORMAT == "typst" and first and first.tag == "Str" then
    local mark = first.text:match("^[=+/-]+$") or first.text:match("^%d+%.$")
    if mark then
      plain.content[1] = pandoc.RawInline("typst", (mark:gsub("[=+/.-]", "\\%0")))
      return plain
    end
  end
end

-- A picture without a caption keeps what it shows, for those who do not see it.
function Image(image)
  local alternative = image.attributes["fig-alt"]
  if IS_MANUSCRIPT then -- not every program that reads these reads SVG
    alternative = alternative or pandoc.utils.stringify(image.caption)
    image.src = image.src:gsub("%.svg$", FORMAT == "latex" and ".pdf" or ".png")
    image.attributes.width = "100%"
    if FORMAT ~= "latex" and FORMAT ~= "docx" then -- pandoc leaves it as it is in JATS
      alternative = alternative:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })
    end
  elseif not alternative or #image.caption > 0 then
    return nil
  end
  if FORMAT == "typst" then
    local quoted = alternative:gsub("\\", "\\\\"):gsub('"', '\\"')
    return pandoc.RawInline("typst", '#image("' .. image.src .. '", alt: "' .. quoted .. '", width: 100%)')
  end
  image.caption = pandoc.Inlines({ pandoc.Str(alternative) })
  image.attributes["fig-alt"] = nil
  return image
end

-- Parts of the width of a text in Word, at 12 points; a column gives way to no word longer than the last.
local WORD_MARGIN, WORD_LETTER, WORD_LONGEST = 0.03, 0.016, 0.25

-- Word breaks a word that is wider than its column, so each column has room for its longest, at
-- the cost of those that have more.
function Table(tbl)
  if FORMAT ~= "docx" then
    return nil
  end
  local widths, needed, excess, spare = {}, {}, -1, 0
  for column, spec in ipairs(tbl.colspecs) do
    if not spec[2] then -- as wide as its content
      return nil
    end
    widths[column], needed[column] = spec[2], 0
  end
  local bodies = pandoc.List({ tbl.head.rows })
  bodies:extend(tbl.bodies:map(function(body)
    return body.body
  end))
  for _, rows in ipairs(bodies) do
    for _, row in ipairs(rows) do
      for column, cell in ipairs(row.cells) do
        for word in pandoc.utils.stringify(cell.contents):gmatch("[^%s-]+") do
          local width = WORD_MARGIN + WORD_LETTER * (utf8.len(word) or #word)
          needed[column] = math.max(needed[column], math.min(width, WORD_LONGEST))
        end
      end
    end
  end
  for column, width in ipairs(needed) do
    widths[column] = math.max(widths[column], width)
    excess, spare = excess + widths[column], spare + widths[column] - width
  end
  if excess > 0 and spare > 0 then
    local part = math.min(1, excess / spare)
    for column, width in ipairs(needed) do
      widths[column] = widths[column] - part * (widths[column] - width)
    end
  end
  tbl.colspecs = tbl.colspecs:map(function(spec, column)
    return { spec[1], widths[column] }
  end)
  return tbl
end

-- A box that scrolls where the page is narrow can be reached by keyboard, and has a name.
local function scrolling(name, value)
  -- A list of pairs: the order of a table's keys, and so of the bytes, would be left to chance.
  return pandoc.Attr("", { "float-body" }, { { "role", "group" }, { name, value }, { "tabindex", "0" } })
end

-- A table without a caption: its first cell with a text is the name of its box.
local function without_caption(tbl)
  if FORMAT == "typst" then
    tbl.classes:insert("typst:no-figure") -- it would get the caption of a figure, an empty one
    return { pandoc.RawBlock("typst", "#bare-table["), tbl, pandoc.RawBlock("typst", "]") }
  end
  local name = ""
  for _, rows in ipairs({ tbl.head.rows, tbl.bodies[1] and tbl.bodies[1].body or {} }) do
    for _, cell in ipairs(rows[1] and rows[1].cells or {}) do
      if name == "" then
        name = pandoc.utils.stringify(cell)
      end
    end
  end
  return pandoc.Div({ tbl }, scrolling("aria-label", name))
end

-- The boxes of the page are plain text, which a link may lead to; notes are smaller where that is
-- a matter of the text, and have a style of their own in Word.
local function as_manuscript(div)
  if div.classes:includes("nota") and FORMAT == "docx" then
    return pandoc.Div(div.content, pandoc.Attr("", {}, { { "custom-style", "Table Note" } }))
  elseif div.classes:includes("nota") and FORMAT == "latex" then
    div.content:insert(1, pandoc.RawBlock("latex", "{\\small"))
    div.content:insert(pandoc.RawBlock("latex", "\\par}"))
    return div.content
  elseif div.identifier ~= "" then
    return pandoc.Div(div.content, pandoc.Attr(div.identifier))
  end
  return div.content
end

function Div(div)
  local caption = div.attributes["aria-describedby"]
  if caption then -- what a float holds
    div.attr = scrolling("aria-labelledby", caption)
    return div
  end
  if div.classes:includes("prova") then
    return folded(div)
  end
  if div.classes:includes("quarto-float") then
    div.attributes.alt = nil -- Quarto has it here too; it belongs to the picture
  end
  if div.classes:includes("resumo") then
    div = div:walk({ Table = without_caption })
  end
  if IS_MANUSCRIPT and div.identifier ~= "refs" then
    return as_manuscript(div)
  end
  for _, class in ipairs(div.classes) do
    local name = FORMAT == "typst" and FUNCTIONS[class]
    if name then
      local blocks = pandoc.Blocks({ pandoc.RawBlock("typst", "#" .. name .. "[") })
      blocks:extend(div.content)
      blocks:insert(pandoc.RawBlock("typst", "]"))
      return blocks
    end
  end
  return div
end
