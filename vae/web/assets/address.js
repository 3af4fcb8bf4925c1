// Where the app's own files are: Streamlit's lie beside them, wherever it is mounted.
function address(path) {
  const own = document.querySelector('script[src*="static/"], link[href*="static/"]');
  const url = own?.src ?? own?.href ?? "";
  const end = url.indexOf("/static/");
  return new URL(path, end < 0 ? `${location.origin}/` : url.slice(0, end + 1)).href;
}
