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

function Div(div)
  if FORMAT ~= "typst" then
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
