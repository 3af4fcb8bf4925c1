// What comes with every poll of a run is this beginning alone: the rest is fetched once, as files
// that never change under their names.
async function load(root, assets) {
  const style = document.createElement("link");
  const styled = new Promise((done) => {
    Object.assign(style, { rel: "stylesheet", href: address(`${assets}style.css`), onload: done, onerror: done });
  });
  root.before(style);
  const drawn = await import(address(`${assets}main.js`));
  await styled;
  return drawn;
}

export default function (component) {
  const { parentElement, data: [data] } = component;
  const root = parentElement.querySelector(".pictures");
  root.loaded ??= load(root, data.assets);
  // In the order in which they come: a later poll may leave out what an earlier one brought.
  root.loaded.then(
    ({ draw }) => draw(root, data),
    () => (root.textContent = "The pictures could not be loaded. Reload the page."),
  );
  return () => root.loaded.then(({ leave }) => leave(root), () => {});
}
