// A drawing: greys in [0, 1], row by row, and the strokes that make it. No page in here.

export function blank(width, height) {
  return { width, height, pixels: new Float32Array(width * height) };
}

// How much of the pixel around (column, row) a line of `radius` from `from` to `to` covers: all of
// it within the radius, nothing from one pixel further. Points are in pixels, (0.5, 0.5) the middle
// of the first one.
function coverage(column, row, from, to, radius) {
  const [x, y] = [column + 0.5 - from.x, row + 0.5 - from.y];
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length ? Math.min(1, Math.max(0, (x * dx + y * dy) / length)) : 0;
  const distance = Math.hypot(x - along * dx, y - along * dy);
  return Math.min(1, Math.max(0, radius + 0.5 - distance));
}

// A stroke covers each pixel once, however often it passes: its edges stay soft.
export function startStroke(drawing, { grey, radius }) {
  const base = drawing.pixels.slice();
  const covered = new Float32Array(base.length);
  let last = null;
  return (point) => {
    const from = last ?? point;
    last = point;
    const reach = radius + 1;
    const first = (at) => Math.max(0, Math.floor(at - reach));
    const left = first(Math.min(from.x, point.x));
    const top = first(Math.min(from.y, point.y));
    const right = Math.min(drawing.width - 1, Math.ceil(Math.max(from.x, point.x) + reach));
    const bottom = Math.min(drawing.height - 1, Math.ceil(Math.max(from.y, point.y) + reach));
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++) {
        const at = row * drawing.width + column;
        covered[at] = Math.max(covered[at], coverage(column, row, from, point, radius));
        drawing.pixels[at] = base[at] * (1 - covered[at]) + grey * covered[at];
      }
  };
}

// The middle of `image` ({width, height, data: RGBA bytes}) as greys of `width` by `height`: each
// pixel is the mean of what lies under it. `zoom` 1 takes the largest part of the right shape.
export function shrink(image, width, height, { zoom = 1, invert = false } = {}) {
  const fit = Math.min(image.width / width, image.height / height) / zoom;
  const left = (image.width - fit * width) / 2;
  const top = (image.height - fit * height) / 2;
  const greys = new Float32Array(width * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const box = [left + column * fit, top + row * fit, left + (column + 1) * fit, top + (row + 1) * fit];
      const grey = averageGrey(image, box);
      greys[row * width + column] = invert ? 1 - grey : grey;
    }
  return greys;
}

// Pixels that the box covers in part count in part; transparent ones are white, as on paper.
function averageGrey({ width, height, data }, [left, top, right, bottom]) {
  let total = 0;
  let weights = 0;
  for (let y = Math.floor(top); y < Math.min(height, Math.ceil(bottom)); y++) {
    const tall = Math.min(bottom, y + 1) - Math.max(top, y);
    for (let x = Math.floor(left); x < Math.min(width, Math.ceil(right)); x++) {
      const weight = tall * (Math.min(right, x + 1) - Math.max(left, x));
      const at = 4 * (y * width + x);
      const alpha = data[at + 3] / 255;
      // Luma of ITU-R BT.601, as Pillow's "L" has it.
      const luma = (0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]) / 255;
      total += weight * (alpha * luma + 1 - alpha);
      weights += weight;
    }
  }
  return weights > 0 ? total / weights : 0;
}
