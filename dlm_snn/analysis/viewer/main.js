// From the packed spikes to the first picture, and from every change to the next one.

/** Colors of the style sheet, light or dark. */
function colorsNow() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const named = ["text", "quiet", "line", "soft", "select", "edge", "both", "first", "second"];
  const colors = Object.fromEntries(named.map((name) => [name, color(`--${name}`)]));
  colors.bands = Array.from({ length: 6 }, (_, i) => color(`--c${i}`));
  return colors;
}

function redGreenBlue(hex) {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

function paintAll(state) {
  const began = performance.now();
  const colors = colorsNow();
  const row = state.samples > 1 && state.sample === null;
  state.frame = framed(element("spikes"), 1, row ? 38 : 22);
  const bins = binsOf(state.view, state.frame.plot, state.dt * 1e3, boundsOf(state)[0]);
  const result = paintSpikes(state, bins, colors, row);
  paintRates(state, bins, result, colors);
  if (!element("voltage").hidden) drawVoltages(element("voltage"), state, colors);
  refresh(state, result);
  return { shown: result.shown, ms: performance.now() - began };
}

function paintSpikes(state, bins, colors, row) {
  const { context, plot, ratio } = state.frame;
  const size = { w: Math.round(plot.w * ratio), h: Math.round(plot.h * ratio), ratio };
  const inks = {
    bands: colors.bands.map(redGreenBlue),
    layers: [colors.both, colors.first, colors.second].map(redGreenBlue),
  };
  const samples = row && { first: state.firstSample, count: state.samples, steps: state.steps };
  const result = painted(size, state.view, state.samples * state.steps, state.bands, bins, inks);
  context.putImageData(result.image, Math.round(plot.x * ratio), Math.round(plot.y * ratio));
  drawFrame(state.frame, colors.line);
  drawBands(state.frame, state.view, state.bands, state.gap, colors);
  drawTimes(state.frame, state.view, state.clock, colors, samples);
  for (const box of boxesOf(state)) drawBox(state.frame, state.view, box, colors.select, colors.edge);
  return result;
}

/** Rectangles of the selection, and around the difference that was gone to. */
function boxesOf(state) {
  const bandOf = (population) => state.bands.find((band) => band.index === population);
  const boxes = (state.selection ? shownParts(state) : []).map(({ population, first, last }) => {
    const band = bandOf(population);
    return {
      from: state.selection.from,
      to: state.selection.to,
      low: heightOf(band, first),
      high: heightOf(band, last),
    };
  });
  const band = state.difference && bandOf(state.difference.population);
  if (!band) return boxes;
  const { position, neuron } = state.difference;
  const [x, y] = [(state.view.x1 - state.view.x0) / 60, (state.view.y1 - state.view.y0) / 30];
  // A mark begins with its step, and fills a part of it.
  const wide = Math.min(1, Math.max(0.2, (WIDE * (state.view.x1 - state.view.x0)) / state.frame.plot.w));
  const [center, middle] = [position + wide / 2, heightOf(band, neuron + 0.5)];
  return [...boxes, { from: center - x, to: center + x, low: middle - y, high: middle + y }];
}

/** Spikes per second and neuron in each bin, for each run; bins at the edges only as far as they are seen. */
function paintRates(state, bins, { rates, neurons }, colors) {
  const frame = framed(element("rate"), 18, 4);
  const { x0, x1 } = state.view;
  const hertzOf = (count, bin) => {
    const start = bins.from + bin * bins.steps;
    const steps = Math.min(start + bins.steps, Math.ceil(x1)) - Math.max(start, Math.ceil(x0));
    return steps > 0 && neurons ? count / (steps * state.dt * neurons) : 0;
  };
  const [both, first, second] = rates;
  const counts = first ? [both.map((count, i) => count + first[i]), both.map((count, i) => count + second[i])] : [both];
  const wide = milliseconds(bins.steps * state.dt * 1e3);
  const runs = first ? `; area: ${state.names[0]}, line: ${state.names[1]}` : "";
  const inks = { ...colors, runs: first ? [colors.both, colors.second] : [colors.line] };
  const hertzes = counts.map((count) => count.map(hertzOf));
  drawRates(frame, state.view, bins, hertzes, inks, `Rate per neuron in bins of ${wide} ms${runs}`);
}

/** What draws the next frame, however often it is asked before. */
function drawerOf(state, painted) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      painted(paintAll(state));
    });
  };
}

function listenToButtons(state, draw) {
  const actions = {
    whole: () => showAll(state),
    "time-in": () => zoom(state, 1 / 1.5, 1),
    "time-out": () => zoom(state, 1.5, 1),
    "neurons-in": () => zoom(state, 1, 1 / 1.5),
    "neurons-out": () => zoom(state, 1, 1.5),
    selecting: () => (state.selecting = !state.selecting),
    clear: () => clearSelection(state),
    save: () => saveSelection(state),
    "zoom-selected": () => zoomToSelection(state),
  };
  for (const [id, action] of Object.entries(actions)) element(id).addEventListener("click", () => draw(action()));
  element("choose").addEventListener("submit", (event) => {
    event.preventDefault();
    state.selection = selectionOfFields(state) ?? state.selection;
    draw();
  });
}

function zoomToSelection(state) {
  const boxes = boxesOf({ ...state, difference: null });
  if (!boxes.length) return;
  const [low, high] = [Math.min(...boxes.map((box) => box.low)), Math.max(...boxes.map((box) => box.high))];
  setView(state, { x0: boxes[0].from, x1: boxes[0].to, y0: low, y1: high });
}

async function start() {
  const source = element("data");
  const state = await stateOf(JSON.parse(source.textContent));
  source.remove();
  const viewer = { state, csv: () => [...csvPieces(state)].join(""), measured: () => measured(state) };
  const draw = drawerOf(state, (painting) => Object.assign(viewer, painting));
  const go = (way) => state.names.length > 1 && draw(sayDifference(state, goToDifference(state, way)));
  fillSummary(state);
  fillRuns(state, go);
  fillPopulations(state, draw);
  fillSamples(state, draw);
  fillVoltages(state, draw);
  element("spikes").style.setProperty("--bands", state.populations.length);
  Object.assign(viewer, paintAll(state));
  listenToPointer(state, element("spikes"), draw);
  listenToKeys(state, draw, go);
  listenToButtons(state, draw);
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  globalThis.viewer = viewer;
}

start().catch((error) => {
  element("summary").textContent = `This page could not be read: ${error.message}`;
  throw error;
});
