// The sections of the page, beside it, with a mark at the one that is being read. For the keyboard
// the list is one stop, and arrows move in it: pages have ten sections and more.
const headings = () => [...document.querySelectorAll("[data-testid=stMain] h2[id]")];

export default function (component) {
  const nav = component.parentElement.querySelector(".contents");
  if (nav.dispose) return nav.dispose;
  const list = nav.querySelector("ul");
  let known = "";
  let frame = 0;

  const links = () => [...list.querySelectorAll("a")];
  const mark = (current) => {
    for (const link of links()) {
      const own = link === current;
      link.tabIndex = own ? 0 : -1;
      if (own) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  const update = () => {
    frame = 0;
    const found = headings();
    const key = found.map((heading) => `${heading.id} ${heading.textContent}`).join();
    if (key !== known) {
      known = key;
      const items = found.map((heading) => {
        const link = document.createElement("a");
        link.href = `#${heading.id}`;
        link.textContent = (heading.querySelector("span, div") ?? heading).textContent.trim();
        const item = document.createElement("li");
        item.append(link);
        return item;
      });
      list.replaceChildren(...items);
      nav.hidden = found.length < 2;
    }
    const above = found.filter((each) => each.getBoundingClientRect().top < window.innerHeight * 0.4);
    mark(links()[Math.max(above.length - 1, 0)]);
  };
  const later = () => (frame ||= requestAnimationFrame(update));
  nav.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = links();
    const next = all[all.indexOf(event.composedPath()[0]) + (step ?? 0)];
    if (!step || !next) return;
    event.preventDefault();
    next.focus();
  });
  // On a phone the sidebar lies over the page: it makes way for the section.
  nav.addEventListener("click", (event) => {
    const side = nav.getRootNode().host?.closest("[data-testid=stSidebar]") ?? nav.closest("[data-testid=stSidebar]");
    const main = document.querySelector("[data-testid=stMain]");
    if (!event.composedPath()[0].closest("a") || !side || !main) return;
    if (main.getBoundingClientRect().left >= side.getBoundingClientRect().right - 1) return;
    side.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  });
  // Scrolling does not rise from the page's own scroller; it is caught on its way down.
  document.addEventListener("scroll", later, { capture: true, passive: true });
  // Figures change at every frame of a drag; only headings matter here.
  const isHeading = (node) => node.nodeType === 1 && (node.matches("h2") || node.querySelector("h2"));
  const watcher = new MutationObserver((records) => {
    if (records.some((record) => [...record.addedNodes, ...record.removedNodes].some(isHeading))) later();
  });
  watcher.observe(document.querySelector("[data-testid=stMain]") ?? document.body, { childList: true, subtree: true });
  later();
  nav.dispose = () => {
    document.removeEventListener("scroll", later, { capture: true });
    watcher.disconnect();
    cancelAnimationFrame(frame);
  };
  return nav.dispose;
}
