// Marks the section that is being read in the contents.
(() => {
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
