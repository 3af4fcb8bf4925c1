// A page has twenty figures and a window shows two. Until it comes near, a figure has no width
// (frame.css), and Streamlit draws nothing in no width. Its height is kept from the first moment.
const nearby = (globalThis.vaeNearby ??= {});
const WAITING = ".stVegaLiteChart:not([data-near])";
// What is never come near is drawn all the same, one by one, when the reader has been still as
// long: so that a page printed from the browser's menu is whole.
const STILL = 10_000;
const BETWEEN = 300;
const PRINTED = 15_000;

const draw = (figure) => (figure.dataset.near = "");
// Also those that come from now on.
function drawAll() {
  nearby.all = true;
  document.querySelectorAll(WAITING).forEach(draw);
}
const idle = globalThis.requestIdleCallback ?? ((next) => setTimeout(next));

// A scrolling box clips what is in it before a margin around the window counts: it is the root.
function sightOf(box) {
  if (nearby.box !== box) {
    nearby.sight?.disconnect();
    nearby.box = box;
    nearby.sight = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (!isIntersecting) continue;
          nearby.sight.unobserve(target);
          draw(target);
        }
      },
      { root: box, rootMargin: "60% 0px" },
    );
  }
  return nearby.sight;
}

// A figure that comes onto the page says so by an animation that shows nothing (frame.css): nobody
// needs to look for it at each change of the page, of which a drag makes sixty a second.
function wait({ target, animationName }) {
  if (animationName !== "waits") return;
  if (nearby.all) return draw(target);
  sightOf(target.closest("[data-testid=stMain]")).observe(target);
  drawRest(STILL);
}

function drawRest(later) {
  clearTimeout(nearby.rest);
  nearby.rest = setTimeout(() => {
    idle(() => {
      // What is folded away waits until it is opened.
      const next = [...document.querySelectorAll(WAITING)].find((each) => each.checkVisibility());
      if (!next) return;
      draw(next);
      drawRest(BETWEEN);
    });
  }, later);
}

function isDrawn() {
  const figures = [...document.querySelectorAll(".stVegaLiteChart")];
  return figures.every((each) => !each.checkVisibility() || each.querySelector(".marks"));
}

// A browser prints at once what is there: its own key for it waits here for the figures.
async function print(event) {
  if (event.key !== "p" || !(event.ctrlKey || event.metaKey) || isDrawn()) return;
  event.preventDefault();
  drawAll();
  const began = performance.now();
  while (!isDrawn() && performance.now() - began < PRINTED)
    await new Promise((done) => setTimeout(done, 50));
  window.print();
}

function drawNearby() {
  if (nearby.drawAll) return;
  nearby.drawAll = drawAll;
  document.addEventListener("animationstart", wait);
  document.documentElement.classList.add("draws-nearby");
  window.addEventListener("beforeprint", drawAll);
  window.addEventListener("keydown", print);
}
