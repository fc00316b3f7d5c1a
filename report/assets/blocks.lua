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

-- A table without a caption: a box of its own, in which it scrolls where the page is narrow, and
-- which can be reached by keyboard. Its first head cell is its name.
local function in_box(tbl)
  local head = tbl.head.rows[1]
  local name = head and pandoc.utils.stringify(head.cells[1]) or ""
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
