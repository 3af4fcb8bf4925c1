// A page's hundreds of messages come at once, and all its sections would be laid out, and what sets
// their formulas fetched, before its first figure is drawn. What follows that figure's dials waits
// until it is there, and then comes a section at a time, whenever the page has nothing else to do.
{
  // A figure's specification names its language, a row of dials its key; the tag of a section's
  // heading as protobuf writes it.
  const FIGURE = "vega-lite";
  const DIALS = "-dials";
  const HEADING = "\n\x02h2";
  // A figure that cannot be drawn keeps nobody from reading on.
  const PATIENCE = 10_000;
  const BETWEEN = 200;
  const HANDS = ["pointerdown", "keydown", "wheel", "touchstart"];
  const letters = new TextDecoder("latin1");
  const textOf = ({ data }) => (data instanceof ArrayBuffer ? letters.decode(data) : "");

  const isDrawn = () =>
    document.querySelector(".stVegaLiteChart .marks") &&
    !document.querySelector(".stVegaLiteChart[data-near]:not(:has(.marks))");

  // Calls `next` once: when what is in view is drawn and seen, or a hand goes on, or at last.
  function whenDrawn(next) {
    const limit = setTimeout(end, PATIENCE);
    const watcher = new MutationObserver(() => isDrawn() && end());
    watcher.observe(document.body, { childList: true, subtree: true });
    for (const hand of HANDS) addEventListener(hand, end, { capture: true, passive: true });
    function end() {
      clearTimeout(limit);
      watcher.disconnect();
      for (const hand of HANDS) removeEventListener(hand, end, { capture: true });
      setTimeout(next);
    }
  }

  // A listener to a page's messages that hands them on to `listener`, in their order.
  function sectionBySection(listener) {
    const waiting = [];
    let figure = false;
    // Who has asked for a place further down, or looks elsewhere, gets everything at once.
    let isOver = Boolean(location.hash) || document.hidden;
    let holds = false;

    function release() {
      const next = waiting.findIndex((event, at) => at > 0 && textOf(event).includes(HEADING));
      for (const event of waiting.splice(0, next < 0 ? waiting.length : next)) listener(event);
      if (waiting.length) return requestIdleCallback(release, { timeout: BETWEEN });
      isOver = true;
    }

    return (event) => {
      if (isOver) return listener(event);
      if (holds) return waiting.push(event);
      listener(event);
      const text = textOf(event);
      figure ||= text.includes(FIGURE);
      if (!figure || !text.includes(DIALS)) return;
      isOver = Boolean(isDrawn());
      holds = !isOver;
      if (holds) whenDrawn(release);
    };
  }

  // Safari has no idle callbacks.
  globalThis.requestIdleCallback ??= (next) => setTimeout(next);
  globalThis.WebSocket = class extends WebSocket {
    addEventListener(kind, listener, options) {
      const isOurs = kind === "message" && typeof listener === "function";
      super.addEventListener(kind, isOurs ? sectionBySection(listener) : listener, options);
    }
  };
}
