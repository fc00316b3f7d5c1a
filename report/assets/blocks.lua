-- Fenced divs of the report as Typst functions of typst-template.typ. HTML styles the same
-- classes with report.css. Both engines run this filter.

local FUNCTIONS = {
  resumo = "summary-box",
  aviso = "notice-box",
  autoria = "byline-block",
  nota = "note-block",
  referencias = "references-block",
}

-- Where a value comes from is shown by the page alone.
function Span(span)
  if FORMAT == "typst" and span.classes:includes("v") then
    return span.content
  end
end

-- A picture without a caption keeps what it shows, for those who do not see it.
function Image(image)
  local alternative = image.attributes["fig-alt"]
  if not alternative or #image.caption > 0 then
    return nil
  end
  if FORMAT == "typst" then
    local quoted = alternative:gsub("\\", "\\\\"):gsub('"', '\\"')
    return pandoc.RawInline("typst", '#image("' .. image.src .. '", alt: "' .. quoted .. '", width: 100%)')
  end
  if quarto then -- which knows fig-alt
    return nil
  end
  image.caption = pandoc.Inlines({ pandoc.Str(alternative) })
  image.attributes["fig-alt"] = nil
  return image
end

-- A table without a caption: a box of its own, in which it scrolls where the page is narrow, and
-- which can be reached by keyboard. Its first cell with a text is its name.
local function in_box(tbl)
  local name = ""
  for _, rows in ipairs({ tbl.head.rows, tbl.bodies[1] and tbl.bodies[1].body or {} }) do
    for _, cell in ipairs(rows[1] and rows[1].cells or {}) do
      if name == "" then
        name = pandoc.utils.stringify(cell)
      end
    end
  end
  local attributes = { { "role", "group" }, { "aria-label", name }, { "tabindex", "0" } }
  return pandoc.Div({ tbl }, pandoc.Attr("", { "float-body" }, attributes))
end

function Div(div)
  if FORMAT ~= "typst" then
    if FORMAT:match("^html") and div.classes:includes("resumo") then
      return div:walk({ Table = in_box })
    end
    return nil
  end
  for _, class in ipairs(div.classes) do
    local name = FUNCTIONS[class]
    if name then
      local blocks = pandoc.Blocks({ pandoc.RawBlock("typst", "#" .. name .. "[") })
      blocks:extend(div.content)
      blocks:insert(pandoc.RawBlock("typst", "]"))
      return blocks
    end
  end
end
