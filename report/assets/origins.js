// Shows where a printed value comes from: its file and field, and the runs behind it. Without
// this script the page lacks nothing else.
(() => {
  const origins = JSON.parse(document.getElementById("origins").textContent);
  const { labels, values, runs } = origins;

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const list = (pairs) => {
    const made = element("dl");
    for (const [term, text] of pairs) {
      if (text !== null && text !== "") {
        made.append(element("dt", {}, term), element("dd", {}, String(text)));
      }
    }
    return made;
  };

  const ofRun = (run) =>
    list([
      [labels.run, `${run.protocol} / ${run.model}`],
      [labels.seed, run.seed],
      [labels.device, [run.device, ...(run.others || [])].join(" + ")],
      [labels.data, run.dataset_identity.slice(0, 16)],
      [labels.code, run.training_hash.slice(0, 16)],
      [labels.commit, run.git_commit && run.git_commit.slice(0, 16)],
      [labels.finished, run.finished],
    ]);

  const title = element("p", { id: "origin-title", className: "origin-title" });
  const content = element("div", { className: "origin-content" });
  const close = element("button", { type: "button", className: "origin-close" }, labels.close);
  const panel = element("div", { id: "origin", popover: "manual", tabIndex: -1 });
  panel.append(title, content, close);
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-labelledby", "origin-title");
  document.body.append(panel);

  const place = (span) => {
    const box = span.getBoundingClientRect();
    const size = panel.getBoundingClientRect();
    const below = box.bottom + 8;
    const top = below + size.height > innerHeight ? box.top - size.height - 8 : below;
    panel.style.top = `${Math.max(8, top)}px`;
    panel.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`;
  };

  let shown = null;

  const show = (span) => {
    const key = span.dataset.k;
    const found = values[key];
    if (!found) {
      return;
    }
    title.textContent = `${labels.title}: ${found.title ?? span.textContent}`;
    content.replaceChildren(list([[labels.key, key], [labels.value, found.value]]));
    const sources = element("ul");
    for (const [file, field] of found.sources) {
      const item = element("li", {}, element("code", {}, file), ` (${field})`);
      if (runs[file]) {
        item.append(ofRun(runs[file]));
      }
      sources.append(item);
    }
    content.append(element("p", {}, labels.from), sources);
    release();
    shown = span;
    span.classList.add("shown");
    if (span.getAttribute("role") === "button") {
      span.setAttribute("aria-expanded", "true");
    }
    panel.showPopover();
    panel.scrollTop = 0;
    place(span);
  };

  const release = () => {
    shown?.classList.remove("shown");
    if (shown?.getAttribute("role") === "button") {
      shown.setAttribute("aria-expanded", "false");
    }
    shown = null;
  };

  const hide = () => {
    release();
    if (panel.matches(":popover-open")) {
      panel.hidePopover();
    }
  };

  // The keyboard is back at the value when the panel is left.
  const leave = () => {
    const back = shown;
    hide();
    back?.focus();
    hide();
  };

  close.addEventListener("click", leave);

  const spans = document.querySelectorAll(".v[data-k]");
  document.addEventListener("click", (event) => {
    const span = event.target.closest?.(".v[data-k]");
    if (span) {
      show(span);
    } else if (!panel.contains(event.target)) {
      hide();
    }
  });
  document.addEventListener("keydown", (event) => {
    const inside = panel.contains(event.target);
    if (event.key === "Escape") {
      inside ? leave() : hide();
    } else if ((event.key === "Enter" || event.key === " ") && event.target.matches?.(".v")) {
      event.preventDefault();
      show(event.target);
      panel.focus(); // from here the arrows scroll
    } else if (event.key === "Tab" && (event.shiftKey ? inside : event.target === close)) {
      leave(); // and the key goes on from the value
    }
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.(".v:focus-visible")) {
      show(event.target);
    } else if (!panel.contains(event.target)) {
      hide();
    }
  });

  // Hundreds of stops would be in the way of who moves by keyboard, so they are asked for.
  const button = element("button", { type: "button", className: "origin-button" }, labels.button);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    document.body.classList.toggle("with-origins", pressed);
    for (const span of spans) {
      if (pressed) {
        span.tabIndex = 0;
        span.setAttribute("role", "button");
        span.setAttribute("aria-haspopup", "dialog");
        span.setAttribute("aria-expanded", "false");
      } else {
        for (const name of ["tabindex", "role", "aria-haspopup", "aria-expanded"]) {
          span.removeAttribute(name);
        }
      }
    }
  });
  const tools = document.querySelector(".language-link");
  tools ? tools.prepend(button) : document.getElementById("title-block-header").append(button);
})();
