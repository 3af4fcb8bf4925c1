// Two things that a browser alone can do for a pasted loss. One that no link can carry stays in
// this tab, so that a reload finds it again. And a paste that is longer than its field, of which
// the field takes nothing, is told.
const KEEP = "vae-your-loss";

function keep({ kept, opening }, restore) {
  try {
    if (kept) {
      sessionStorage.setItem(KEEP, kept);
    } else if (opening) {
      const found = sessionStorage.getItem(KEEP);
      if (found) restore(found);
    } else {
      sessionStorage.removeItem(KEEP);
    }
  } catch {
    // A browser that keeps nothing: the reload then opens the page's example.
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const given = data[0];
  const note = parentElement.querySelector(".pasting");
  keep(given, (text) => setTriggerValue("restored", text));

  const tell = (event) => {
    const field = event.target;
    if (!(field instanceof HTMLTextAreaElement) || !field.closest(given.fields)) return;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const length = field.value.length - (field.selectionEnd - field.selectionStart) + text.length;
    note.textContent =
      length > given.longest
        ? `${length.toLocaleString("en")} characters are more than the field takes ` +
          `(${given.longest.toLocaleString("en")}), so it is as it was. ` +
          "Paste the loss and what it calls."
        : "";
  };
  document.addEventListener("paste", tell, true);
  return () => document.removeEventListener("paste", tell, true);
}
