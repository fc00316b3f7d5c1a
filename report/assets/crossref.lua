-- Cross references for the embedded engine: what Quarto does with #tbl-, #fig- and the custom
-- floats of `crossref.custom`, for the syntax that the report uses.
--
-- Numbers each float in reading order, gives it the markup that Quarto gives it (so that one
-- stylesheet and one Typst template serve both), and resolves @tbl-x. An unknown reference is
-- an error; Quarto would only warn.

local FLOATS = {} -- prefix of the id -> {name, caption at the top?, count}
local labels = {} -- id -> {kind, number}
local delimiter = pandoc.Inlines({ pandoc.Str(":") })

local function kind_of(id)
  local kind = id:match("^(%l+)%-.")
  return kind and FLOATS[kind] and kind or nil
end

local function read_meta(meta)
  FLOATS.tbl = { name = "Tabela", top = true, count = 0 }
  FLOATS.fig = { name = "Figura", top = false, count = 0 }
  local settings = meta.crossref or {}
  for _, kind in ipairs({ "tbl", "fig" }) do
    local title = settings[kind .. "-title"]
    if title then
      FLOATS[kind].name = pandoc.utils.stringify(title)
    end
  end
  if settings["title-delim"] then
    delimiter = settings["title-delim"]
  end
  for _, custom in ipairs(settings.custom or {}) do
    FLOATS[pandoc.utils.stringify(custom.key)] = {
      name = pandoc.utils.stringify(custom["reference-prefix"]),
      top = pandoc.utils.stringify(custom["caption-location"] or "bottom") == "top",
      count = 0,
    }
  end
end

local function register(id)
  local kind = kind_of(id)
  if labels[id] then
    error("two floats have the id " .. id)
  end
  local float = FLOATS[kind]
  float.count = float.count + 1
  labels[id] = { kind = kind, number = float.count }
  return kind, float
end

local function as_html(id, content, caption)
  local kind, float = register(id)
  local caption_id = id .. "-caption"
  local label = pandoc.Inlines({ pandoc.Str(float.name .. "\u{a0}" .. float.count) })
  label:extend(delimiter)
  label:insert(pandoc.Space())
  label:extend(caption)
  local figcaption = pandoc.Blocks({
    pandoc.RawBlock("html", '<figcaption id="' .. caption_id .. '">'),
    pandoc.Plain(label),
    pandoc.RawBlock("html", "</figcaption>"),
  })
  local body = pandoc.Div(content, pandoc.Attr("", {}, { { "aria-describedby", caption_id } }))
  local blocks = pandoc.Blocks({
    pandoc.RawBlock("html", '<figure class="quarto-float quarto-float-' .. kind .. '">'),
  })
  if float.top then
    blocks:extend(figcaption)
    blocks:insert(body)
  else
    blocks:insert(body)
    blocks:extend(figcaption)
  end
  blocks:insert(pandoc.RawBlock("html", "</figure>"))
  return pandoc.Div(blocks, pandoc.Attr(id, { "quarto-float" }))
end

local function as_typst(id, content, caption)
  local kind, float = register(id)
  local blocks = pandoc.Blocks({ pandoc.RawBlock("typst", "#figure([") })
  blocks:extend(content)
  blocks:insert(
    pandoc.RawBlock(
      "typst",
      "], caption: figure.caption(position: " .. (float.top and "top" or "bottom") .. ")["
    )
  )
  blocks:insert(pandoc.Plain(caption))
  blocks:insert(
    pandoc.RawBlock(
      "typst",
      '], kind: "quarto-float-' .. kind .. '", supplement: "' .. float.name .. '") <' .. id .. ">"
    )
  )
  return blocks
end

-- Formats with captions of their own. LaTeX numbers them itself, each kind by its own counter (of
-- latex.tex); the others have the label as a text.
local HAS_CAPTIONS = FORMAT == "latex" or FORMAT == "docx" or FORMAT:match("^jats") ~= nil

local function with_caption(id, content, caption)
  local kind, float = register(id)
  if FORMAT ~= "latex" then
    local label = pandoc.Inlines({ pandoc.Str(float.name .. "\u{a0}" .. float.count) })
    label:extend(delimiter)
    label:insert(pandoc.Space())
    label:extend(caption)
    caption = label
  end
  local long = { pandoc.Plain(caption) }
  if #content ~= 1 or content[1].tag ~= "Table" then
    return pandoc.Blocks({ pandoc.Figure(content, { long = long }, pandoc.Attr(id)) })
  end
  content[1].attr = pandoc.Attr(id)
  content[1].caption = { long = long }
  if FORMAT == "latex" and kind ~= "tbl" then
    local counter = "{\\renewcommand{\\LTcaptype}{" .. kind .. "}"
    return pandoc.Blocks({ pandoc.RawBlock("latex", counter), content[1], pandoc.RawBlock("latex", "}") })
  end
  return pandoc.Blocks(content)
end

local function float(id, content, caption)
  if FORMAT == "typst" then
    return as_typst(id, content, caption)
  end
  if HAS_CAPTIONS then
    return with_caption(id, content, caption)
  end
  return as_html(id, content, caption)
end

-- `typst:no-figure` keeps pandoc from wrapping the table in a second, uncaptioned figure.
local function bare(tbl)
  tbl.attr = pandoc.Attr("", FORMAT == "typst" and { "typst:no-figure" } or {})
  tbl.caption = { long = {} }
  return tbl
end

local function from_table(tbl)
  if not kind_of(tbl.identifier) then
    return nil
  end
  local id = tbl.identifier
  local caption = pandoc.utils.blocks_to_inlines(tbl.caption.long)
  return float(id, { bare(tbl) }, caption)
end

local function typst_string(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

local function picture(image)
  local alternative = image.attributes["fig-alt"] or pandoc.utils.stringify(image.caption)
  if FORMAT == "typst" then
    local width = image.attributes.width or "100%"
    return pandoc.RawBlock(
      "typst",
      "#image(" .. typst_string(image.src) .. ", alt: " .. typst_string(alternative)
        .. ", width: " .. width .. ")"
    )
  end
  image.caption = pandoc.Inlines({ pandoc.Str(alternative) })
  image.attributes["fig-alt"] = nil
  return pandoc.Plain({ image })
end

local function from_figure(figure)
  if not kind_of(figure.identifier) then
    return nil
  end
  local images = pandoc.Blocks({})
  figure:walk({
    Image = function(image)
      images:insert(picture(image))
    end,
  })
  return float(figure.identifier, images, pandoc.utils.blocks_to_inlines(figure.caption.long))
end

local function from_div(div)
  if not kind_of(div.identifier) then
    return nil
  end
  local caption = div.content[#div.content]
  if caption == nil or caption.t ~= "Para" then
    error("the last paragraph of #" .. div.identifier .. " must be its caption")
  end
  div.content:remove(#div.content)
  local content = div.content:walk({ Table = bare })
  return float(div.identifier, content, caption.content)
end

local function resolve(cite)
  local citation = cite.citations[1]
  if not kind_of(citation.id) then
    return nil
  end
  local label = labels[citation.id]
  if not label then
    error("unresolved reference @" .. citation.id)
  end
  local name = FLOATS[label.kind].name
  if FORMAT == "typst" then
    return pandoc.RawInline("typst", "#ref(<" .. citation.id .. ">, supplement: [" .. name .. "])")
  end
  if FORMAT == "latex" then
    return pandoc.RawInline("latex", name .. "~\\ref{" .. citation.id .. "}")
  end
  return pandoc.Link(
    name .. "\u{a0}" .. label.number,
    "#" .. citation.id,
    "",
    pandoc.Attr("", { "quarto-xref" })
  )
end

function Pandoc(document)
  read_meta(document.meta)
  document.blocks = document.blocks:walk({
    traverse = "topdown",
    Table = function(tbl)
      local made = from_table(tbl)
      return made, made == nil
    end,
    Figure = function(figure)
      local made = from_figure(figure)
      return made, made == nil
    end,
    Div = function(div)
      local made = from_div(div)
      return made, made == nil
    end,
  })
  document.blocks = document.blocks:walk({ Cite = resolve })
  return document
end
