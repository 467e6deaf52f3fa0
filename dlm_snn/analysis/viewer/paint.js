// Spikes counted into pixels. The dearest loop of the page: one count for each spike that is in view.

const GUTTER = 54; // at the left of every plot, for numbers
const MARGIN = 8; // at its right
const WIDE = 3; // CSS pixels of a spike, where its step is wider; of very wide steps a fifth
const SHADES = 1024;
const SPARSE = 0.03; // spikes per pixel
const CROWDED = 16; // spikes of a neuron in a cell, from which on doubling steps are faster than one by one

/** A canvas made ready: its context in CSS pixels, its size, and the plot inside, which leaves room for the axes. */
function framed(canvas, above, below) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  const plot = { x: GUTTER, y: above, w: Math.max(1, width - GUTTER - MARGIN), h: Math.max(1, height - above - below) };
  return { context, ratio, width, height, plot };
}

/** Bins of the rate: of at least 1 ms and 3 pixels, 1, 2 or 5 times a power of ten, each aligned to the axis. */
function binsOf(view, plot, dtMs, start) {
  const least = Math.max(1, Math.round(1 / dtMs));
  const steps = least * Math.max(1, niceStep((((view.x1 - view.x0) / plot.w) * 3) / least));
  const from = start + Math.floor((view.x0 - start) / steps) * steps;
  return { steps, from, size: Math.max(1, Math.ceil((view.x1 - from) / steps)) };
}

/** Count all layers of the populations in view, and color them: {image, shown, neurons, rates}. */
function painted(size, view, span, bands, bins, colors) {
  const grid = gridOf(size, view, bins, isSparse(size, view, bands, span) ? 2 : 1);
  const image = new ImageData(grid.w, grid.h);
  const target = new Uint32Array(image.data.buffer);
  const layers = bands.length ? bands[0].population.layers.length : 1;
  const rates = Array.from({ length: layers }, () => new Float64Array(bins.size));
  const shown = new Array(layers).fill(0);
  let neurons = 0;
  for (const band of bands) {
    const [first, last] = neuronsBetween(band, view.y0, view.y1);
    neurons += last - first;
    shown[0] += countBand(grid, band, first, last, rates[0]);
    shade(grid, band, target, layers > 1 ? colors.layers[0] : colors.bands[band.index % colors.bands.length]);
    for (let layer = 1; layer < layers; layer++) {
      shown[layer] += markBand(grid, band, layer, target, rates[layer], colors.layers[layer]);
    }
  }
  return { image, shown, neurons, rates };
}

/** Whether so few spikes are in view, were they even over the span of time, that one pixel each is hard to see. */
function isSparse({ w, h }, view, bands, span) {
  const part = (view.x1 - view.x0) / span;
  const spikes = bands.reduce((sum, band) => {
    const [first, last] = neuronsBetween(band, view.y0, view.y1);
    return sum + (band.population.layers[0].size * (last - first)) / Math.max(1, band.population.neurons);
  }, 0);
  return spikes * part < w * h * SPARSE;
}

/** Pixels as counts; each row has some more at its end, so that a wide spike needs no test. */
function gridOf({ w, h, ratio }, view, bins, least) {
  const kx = w / (view.x1 - view.x0);
  const ky = h / (view.y1 - view.y0);
  const wide = Math.max(least, Math.floor(Math.min(kx * 0.8, Math.max(kx / 5, WIDE * ratio))));
  const stride = w + wide + 1;
  return { w, h, kx, ky, wide, stride, view, bins, counts: new Uint32Array(stride * h), ratio };
}

/** Pixel rows of a neuron, [top, below its last]; a line stays free between neurons that are high enough. */
function rowsOf(grid, band, neuron) {
  const top = Math.floor((grid.view.y1 - heightOf(band, neuron + 1)) * grid.ky);
  const bottom = Math.floor((grid.view.y1 - heightOf(band, neuron)) * grid.ky);
  return [top, Math.max(top + 1, bottom - (bottom - top > 4 ? 1 : 0))];
}

/** Count the spikes of some neurons of a band's first layer into pixels, and into the bins of the rate. */
function countBand(grid, band, first, last, rate) {
  const { view, h, stride, w, wide, kx, counts, bins } = grid;
  const layer = band.population.layers[0];
  let shown = 0;
  for (let neuron = first; neuron < last; neuron++) {
    const [low, high] = placesOf(layer, neuron, view.x0, view.x1);
    if (low === high) continue;
    shown += high - low;
    const [top, end] = rowsOf(grid, band, neuron);
    const row = Math.min(Math.max(top, 0), h - 1) * stride;
    for (let more = 0; more < wide; more++) countInto(counts, row + more, layer.at, low, high, view.x0, kx);
    countInto(rate, 0, layer.at, low, high, bins.from, 1 / bins.steps);
    for (let y = Math.max(top, 0) + 1; y < Math.min(end, h); y++) counts.copyWithin(y * stride, row, row + w);
  }
  return shown;
}

/** Count sorted spikes into cells of an axis: one by one, or where many fall into each cell, a cell at a time. */
function countInto(target, offset, at, low, high, origin, perCell) {
  if (high - low > CROWDED * (1 + (at[high - 1] - at[low]) * perCell)) {
    countCells(target, offset, at, low, high, origin, perCell);
    return;
  }
  for (let i = low; i < high; i++) target[offset + (((at[i] - origin) * perCell) | 0)]++;
}

function countCells(target, offset, at, low, high, origin, perCell) {
  for (let i = low; i < high;) {
    const cell = Math.floor((at[i] - origin) * perCell);
    const end = Math.max(i + 1, nextAt(at, i, high, origin + (cell + 1) / perCell));
    target[offset + cell] += end - i;
    i = end;
  }
}

/** The first place from low on whose spike is at x or later, looked for in steps that double. */
function nextAt(at, low, high, x) {
  let step = 1;
  while (low + step < high && at[low + step] < x) {
    low += step;
    step *= 2;
  }
  return lower(at, low, Math.min(low + step, high), x);
}

/** Counts of a band as one color: the more spikes in a pixel, the less of the ground is seen through it. */
function shade(grid, band, target, color) {
  const [top] = rowsOf(grid, band, band.population.neurons - 1);
  const [, end] = rowsOf(grid, band, 0);
  const [first, last] = [Math.max(0, top), Math.min(grid.h, end)];
  let most = 1;
  for (let y = first; y < last; y++) {
    for (let x = 0; x < grid.w; x++) most = Math.max(most, grid.counts[y * grid.stride + x]);
  }
  const shades = shadesOf(most, color);
  const scale = (shades.length - 1) / most;
  for (let y = first; y < last; y++) {
    for (let x = 0; x < grid.w; x++) {
      const count = grid.counts[y * grid.stride + x];
      if (count) target[y * grid.w + x] = shades[Math.ceil(count * scale)];
    }
  }
}

function shadesOf(most, [red, green, blue]) {
  const shades = new Uint32Array(Math.min(most, SHADES) + 1);
  for (let i = 1; i < shades.length; i++) {
    const count = (i * most) / (shades.length - 1);
    const opacity = 0.35 + 0.65 * (Math.log(1 + count) / Math.log(1 + most));
    shades[i] = ((Math.round(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return shades;
}

/** Spikes that one run alone has: at least 3 x 3 pixels each, over all others. */
function markBand(grid, band, layer, target, rate, [red, green, blue]) {
  const held = band.population.layers[layer];
  const ink = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  const [first, last] = neuronsBetween(band, grid.view.y0, grid.view.y1);
  const least = Math.round(3 * grid.ratio);
  let shown = 0;
  for (let neuron = first; neuron < last; neuron++) {
    const [low, high] = placesOf(held, neuron, grid.view.x0, grid.view.x1);
    shown += high - low;
    let before = -1;
    for (let i = low; i < high; i++) {
      rate[Math.floor((held.at[i] - grid.bins.from) / grid.bins.steps)]++;
      const x = ((held.at[i] - grid.view.x0) * grid.kx) | 0;
      if (x !== before) fill(grid, target, rowsOf(grid, band, neuron), x, least, ink);
      before = x;
    }
  }
  return shown;
}

function fill(grid, target, [top, end], x, least, ink) {
  const wide = Math.max(least, grid.wide);
  const more = Math.max(0, least - (end - top)) >> 1;
  const left = Math.max(0, x - (grid.wide < least ? least >> 1 : 0));
  const right = Math.min(grid.w, left + wide);
  for (let y = Math.max(0, top - more); y < Math.min(grid.h, end + more); y++) {
    target.fill(ink, y * grid.w + left, y * grid.w + right);
  }
}
