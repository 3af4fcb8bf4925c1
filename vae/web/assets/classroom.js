// The small beginning of every part that a class uses: it fetches the rest, which is served as
// files that never change under their names.

export default function (component) {
  const { parentElement, data: [data] } = component;
  const root = parentElement.querySelector(".classroom");
  const signature = JSON.stringify(data);
  if (root.signature === signature) return root.leave;
  root.leave?.();
  root.signature = signature;
  const state = {};
  import(address(`${data.assets}${data.part}.js`)).then(
    ({ mount }) => {
      if (!state.gone) state.close = mount(root, data, address);
    },
    () => {
      root.textContent = "This part could not be loaded. The rest of the page works without it.";
    },
  );
  root.leave = () => {
    state.gone = true;
    state.close?.();
    root.signature = "";
  };
  return root.leave;
}
