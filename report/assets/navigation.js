// The contents: folded where they would push the text off the first screen, and the section that
// is being read marked in them. Without this script they are open and nothing is marked.
(() => {
  const contents = document.getElementById("TOC");
  const heading = contents?.querySelector("#toc-title, h2");
  if (heading) {
    const folding = document.createElement("details");
    const name = document.createElement("summary");
    heading.before(folding);
    name.append(heading);
    folding.append(name, ...[...contents.children].filter((child) => child !== folding));
    const wide = matchMedia("(min-width: 81.5rem)");
    const fold = () => {
      folding.open = wide.matches;
    };
    wide.addEventListener("change", fold);
    fold();
  }

  // A link to what is folded opens it, also where the browser does not.
  const unfold = () => {
    const fold = document.getElementById(location.hash.slice(1))?.closest("details");
    if (fold) {
      fold.open = true;
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  const links = new Map();
  for (const link of document.querySelectorAll('#TOC a[href^="#"]')) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target) {
      links.set(target, link);
    }
  }
  const targets = [...links.keys()];
  let marked = null;

  const mark = () => {
    // The last section that begins above the upper third of the window.
    const line = innerHeight / 3;
    const reached = targets.filter((target) => target.getBoundingClientRect().top <= line);
    const current = links.get(reached.at(-1)) ?? null;
    if (current !== marked) {
      marked?.removeAttribute("aria-current");
      current?.setAttribute("aria-current", "true");
      marked = current;
    }
  };

  let asked = false;
  addEventListener(
    "scroll",
    () => {
      if (!asked) {
        asked = true;
        requestAnimationFrame(() => {
          asked = false;
          mark();
        });
      }
    },
    { passive: true },
  );
  mark();
})();
