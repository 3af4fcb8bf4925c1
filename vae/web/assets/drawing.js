// The section's small beginning: it waits until it is looked at, then fetches the rest, which is
// served as files that never change under their names.

function whenSeen(node, act) {
  if (!("IntersectionObserver" in window)) {
    act();
    return () => {};
  }
  const sight = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      sight.disconnect();
      act();
    },
    { rootMargin: "200px" },
  );
  sight.observe(node);
  return () => sight.disconnect();
}

async function fill(state, root, data) {
  try {
    if (!root.styled) {
      root.styled = true;
      await new Promise((done) => {
        const link = document.createElement("link");
        Object.assign(link, { rel: "stylesheet", href: address(`${data.assets}style.css`), onload: done, onerror: done });
        root.before(link);
      });
    }
    const { mount } = await import(address(`${data.assets}main.js`));
    const page = await mount(root, data, address);
    if (state.gone) page.close();
    else state.page = page;
  } catch (error) {
    const told = document.createElement("p");
    told.setAttribute("role", "alert");
    const unloaded = error instanceof TypeError || error instanceof SyntaxError;
    told.textContent = unloaded
      ? "The drawing could not be loaded; it needs a browser of the last years. The rest of the page works without it."
      : error.message;
    root.replaceChildren(told);
  } finally {
    root.removeAttribute("aria-busy");
    // What it took for itself is its room from now on (drawing_place.css).
    root.getRootNode().host?.closest(".stElementContainer")?.setAttribute("data-came", "");
  }
}

export default function (component) {
  const { parentElement, data: [data] } = component;
  const root = parentElement.querySelector(".drawing");
  const signature = JSON.stringify(data);
  if (root.signature === signature) return root.leave;
  root.leave?.();
  root.signature = signature;
  root.classList.toggle("small", Boolean(data.small));
  root.setAttribute("aria-busy", "true");
  const state = {};
  const unwatch = whenSeen(root, () => fill(state, root, data));
  root.leave = () => {
    state.gone = true;
    unwatch();
    state.page?.close();
    root.signature = "";
  };
  return root.leave;
}
