// Axes, names and marks around and over what is painted.

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** The smallest of 1, 2, 5 times a power of ten that is not below a number. */
function niceStep(raw, steps = [1, 2, 5, 10]) {
  if (!(raw > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return steps.find((step) => step * power >= raw * 0.999999) * power;
}

/** Multiples of a nice step between two numbers, about one in each of so many parts. */
function ticks(low, high, parts, least = 0) {
  const step = Math.max(least, niceStep((high - low) / Math.max(1, parts)));
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

/** Three digits, without an exponent. */
function short(value) {
  if (!Number.isFinite(value)) return "-";
  return NUMBER.format(Number(value.toPrecision(3)));
}

function milliseconds(value) {
  return NUMBER.format(Number(value.toPrecision(9)));
}

function drawFrame({ context, plot }, color) {
  context.strokeStyle = color;
  context.strokeRect(plot.x - 0.5, plot.y - 0.5, plot.w + 1, plot.h + 1);
}

/** Times below a plot; clock turns a position into ms. */
function drawTimes({ context, plot, height }, view, clock, colors, samples) {
  const [low, high] = [clock(view.x0), clock(view.x1)];
  context.fillStyle = colors.text;
  context.textAlign = "center";
  for (const time of ticks(low, high, plot.w / 110)) {
    const x = plot.x + ((time - low) / (high - low)) * plot.w;
    context.fillRect(x - 0.5, plot.y + plot.h, 1, 4);
    const text = `${milliseconds(time)} ms`;
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(Math.max(x, half), plot.x + plot.w + MARGIN - half), plot.y + plot.h + 16);
  }
  if (samples) drawSamples(context, plot, view, samples, colors, height);
}

/** Samples in a row: a line where each begins, and its number below, as many as there is room for. */
function drawSamples(context, plot, view, samples, colors, height) {
  const wide = (samples.steps / (view.x1 - view.x0)) * plot.w;
  const every = Math.max(1, niceStep(64 / wide));
  const first = Math.floor(view.x0 / samples.steps);
  const last = Math.min(samples.count, Math.ceil(view.x1 / samples.steps));
  for (let sample = first; sample < last; sample++) {
    const x = plot.x + ((sample * samples.steps - view.x0) / (view.x1 - view.x0)) * plot.w;
    const inside = x > plot.x && x < plot.x + plot.w;
    context.fillStyle = colors.line;
    if (inside && wide >= 5) context.fillRect(Math.round(x) - 0.5, plot.y, 1, plot.h);
    if ((sample + samples.first) % every) continue;
    context.fillStyle = colors.quiet;
    context.textAlign = "left";
    const text = `sample ${sample + samples.first}`;
    const at = Math.max(x, plot.x);
    if (at + context.measureText(text).width <= Math.max(plot.x + plot.w, x)) context.fillText(text, at, height - 4);
  }
}

/** Neuron numbers, the name and the edges of each band. */
function drawBands({ context, plot }, view, bands, gap, colors) {
  const ky = plot.h / (view.y1 - view.y0);
  for (const band of bands) {
    const top = plot.y + (view.y1 - band.bottom - band.height) * ky;
    const bottom = plot.y + (view.y1 - band.bottom) * ky;
    if (bottom < plot.y || top > plot.y + plot.h) continue;
    context.fillStyle = colors.soft;
    for (const y of [top, bottom]) {
      if (y >= plot.y && y <= plot.y + plot.h) context.fillRect(plot.x, Math.round(y) - 0.5, plot.w, 1);
    }
    drawNeurons(context, plot, view, band, ky, colors);
    if (top - 4 < plot.y || gap * ky < 13) continue;
    context.fillStyle = colors.text;
    context.textAlign = "left";
    context.fillText(fitted(context, band.population.name, plot.w - 8), plot.x + 4, top - 4);
  }
}

function drawNeurons(context, plot, view, band, ky, colors) {
  const high = pitch(band) * ky;
  const [first, last] = neuronsBetween(band, view.y0, view.y1);
  const offset = Array.isArray(band.population.units) ? 0 : band.population.units;
  context.fillStyle = colors.text;
  context.textAlign = "right";
  for (const tick of ticks(first + offset, last - 1 + offset, ((last - first) * high) / 34, 1)) {
    const neuron = tick - offset;
    const y = plot.y + (view.y1 - heightOf(band, neuron + 0.5)) * ky;
    context.fillRect(plot.x - 4, Math.round(y) - 0.5, 4, 1);
    const inside = Math.min(Math.max(y + 4, plot.y + 9), plot.y + plot.h);
    context.fillText(fittedEnd(context, unitOf(band.population, neuron), GUTTER - 8), plot.x - 6, inside);
  }
}

/** A text cut to a width, at its end. */
function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let kept = text;
  while (kept && context.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** A name cut at its beginning: names of units differ at their end. */
function fittedEnd(context, text, width) {
  let kept = text;
  while (kept && context.measureText(kept === text ? text : `…${kept}`).width > width) kept = kept.slice(1);
  return kept === text ? text : `…${kept}`;
}

/** A part of the plot marked: the selection, or the difference that was gone to. */
function drawBox({ context, plot }, view, box, fillColor, lineColor) {
  const kx = plot.w / (view.x1 - view.x0);
  const ky = plot.h / (view.y1 - view.y0);
  const clip = (value, low, high) => Math.min(Math.max(value, low), high);
  const left = clip(plot.x + (box.from - view.x0) * kx, plot.x, plot.x + plot.w);
  const right = clip(plot.x + (box.to - view.x0) * kx, plot.x, plot.x + plot.w);
  const top = clip(plot.y + (view.y1 - box.high) * ky, plot.y, plot.y + plot.h);
  const bottom = clip(plot.y + (view.y1 - box.low) * ky, plot.y, plot.y + plot.h);
  if (right - left < 0.01 || bottom - top < 0.01) return;
  context.fillStyle = fillColor;
  context.fillRect(left, top, right - left, bottom - top);
  context.strokeStyle = lineColor;
  context.strokeRect(left, top, right - left, bottom - top);
}

/** Rates of the populations in view in each bin; of two runs the first as an area, the second as a line. */
function drawRates(frame, view, bins, runs, colors, text) {
  const { context, plot } = frame;
  const largest = Math.max(...runs.map((rate) => rate.reduce((a, b) => Math.max(a, b), 0)));
  const most = niceStep(largest, [1, 1.5, 2, 3, 4, 5, 6, 8, 10]);
  runs.forEach((rate, run) => {
    traceRate(context, plot, view, bins, rate, most);
    if (run) {
      context.strokeStyle = colors.runs[run];
      context.stroke();
    } else {
      context.lineTo(plot.x + plot.w, plot.y + plot.h);
      context.lineTo(plot.x, plot.y + plot.h);
      context.fillStyle = colors.runs[run];
      context.fill();
    }
  });
  drawFrame(frame, colors.line);
  context.fillStyle = colors.text;
  context.textAlign = "right";
  context.fillText(`${short(most)}`, plot.x - 6, plot.y + 10);
  context.fillText("0 Hz", plot.x - 6, plot.y + plot.h);
  context.textAlign = "left";
  context.fillStyle = colors.quiet;
  context.fillText(fitted(context, text, plot.w), plot.x, plot.y - 4);
}

function traceRate(context, plot, view, bins, rate, most) {
  const kx = plot.w / (view.x1 - view.x0);
  context.beginPath();
  rate.forEach((value, i) => {
    const y = plot.y + plot.h - (value / most) * plot.h;
    const left = Math.max(plot.x, plot.x + (bins.from + i * bins.steps - view.x0) * kx);
    const right = Math.min(plot.x + plot.w, plot.x + (bins.from + (i + 1) * bins.steps - view.x0) * kx);
    context[i ? "lineTo" : "moveTo"](left, y);
    context.lineTo(right, y);
  });
}
