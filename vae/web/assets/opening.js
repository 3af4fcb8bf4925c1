// A page at /train asks first whether the server lives below /train, and the browser's console tells
// of two answers of 404. It is told where it lives: where its own files are, behind any proxy.
window.__streamlit = { BACKEND_BASE_URL: new URL("./", location.href).href };
// A mode's style comes with the page's messages (vae/web/frame.py).
if (/[?&](present|embed)=/.test(location.search)) document.documentElement.classList.add("in-a-mode");
// Called once by this script, and by each face when it is here or cannot be had.
function faceCame(all) {
  faceCame.number = (faceCame.number ?? 0) + 1;
  if (faceCame.number >= all) document.documentElement.classList.add("with-faces");
}
