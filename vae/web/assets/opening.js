// A page at /train asks first whether the server lives below /train, and the browser's console tells
// of two answers of 404. It is told where it lives: where its own files are, behind any proxy.
window.__streamlit = { BACKEND_BASE_URL: new URL("./", location.href).href };
// A mode's style comes with the page's messages (vae/web/frame.py).
if (/[?&](present|embed)=/.test(location.search)) document.documentElement.classList.add("in-a-mode");
// Streamlit shows the page without the sidebar first, then with it: it is seen when both are there.
// A rule of style that asks for them (:has) would have them looked for at every change, for good.
const isThere = new MutationObserver(() => {
  const page = document.querySelector("#root .stElementContainer");
  const side = document.querySelector("[data-testid=stSidebar], [data-testid=stExpandSidebarButton]");
  if (!page || !side) return;
  document.documentElement.classList.add("with-sidebar");
  isThere.disconnect();
});
isThere.observe(document.documentElement, { childList: true, subtree: true });
// Called once by this script, and by each face when it is here or cannot be had.
function faceCame(all) {
  faceCame.number = (faceCame.number ?? 0) + 1;
  if (faceCame.number >= all) document.documentElement.classList.add("with-faces");
}
