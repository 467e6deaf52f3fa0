// What is shown: which samples and populations, which part of them, what is selected. Changes go through these.

const FEW = 20; // samples that stand in a row at first
const LEAST_STEPS = 2; // of a view

async function stateOf(data) {
  const positions = data.samples * data.steps;
  const populations = [];
  for (const population of data.populations) populations.push(await unpackedPopulation(population, positions));
  const membranes = await Promise.all(data.membranes.map((ofRun) => Promise.all(ofRun.map(unpackedMembrane))));
  const { names, samples, steps, dt, firstSample, firstStep } = data;
  const state = { names, samples, steps, dt, firstSample, firstStep, populations, membranes };
  Object.assign(state, { sample: samples > FEW ? 0 : null, selection: null, selecting: false, difference: null });
  state.voltage = firstVoltage(membranes);
  state.clock = (position) => timeOf(state, position);
  restack(state);
  showAll(state);
  return state;
}

/** The three most active neurons of the last population whose voltage was recorded. */
function firstVoltage(membranes) {
  const last = membranes.flat().at(-1);
  return last ? { population: last.population, neurons: last.neurons.slice(0, 3) } : { population: null, neurons: [] };
}

/** ms of a position: within its sample where one is shown, else along the row. */
function timeOf(state, position) {
  const start = state.samples > 1 && state.sample === null ? 0 : state.firstStep - (state.sample ?? 0) * state.steps;
  return (position + start) * state.dt * 1e3;
}

function positionOf(state, time) {
  return Math.round(time / (state.dt * 1e3) - timeOf(state, 0) / (state.dt * 1e3));
}

/** First position shown, and one past the last: of the sample, or of all. */
function boundsOf(state) {
  if (state.sample === null) return [0, Math.max(1, state.samples * state.steps)];
  return [state.sample * state.steps, Math.max((state.sample + 1) * state.steps, state.sample * state.steps + 1)];
}

/** Show the voltage of a neuron, if the page holds it. */
function takeVoltage(state, name, neuron) {
  const held = state.membranes.flat().some((one) => one.population === name && one.place.has(neuron));
  if (held) state.voltage = { population: name, neurons: [neuron] };
  return held;
}

function restack(state) {
  Object.assign(state, bandsOf(state.populations));
}

function showAll(state) {
  const [x0, x1] = boundsOf(state);
  state.view = { x0, x1, y0: 0, y1: state.height };
}

/** Keep an interval inside bounds, and no smaller than the least. */
function kept(low, high, start, end, least) {
  const size = Math.min(Math.max(high - low, least), end - start);
  const middle = (low + high) / 2;
  const first = Math.min(Math.max(high - low < least ? middle - size / 2 : low, start), end - size);
  return [first, first + size];
}

function setView(state, { x0, x1, y0, y1 }) {
  const [start, end] = boundsOf(state);
  const leastHeight = Math.min(state.height, ...state.bands.map(pitch));
  [x0, x1] = kept(x0, x1, start, end, LEAST_STEPS);
  [y0, y1] = kept(y0, y1, 0, state.height, leastHeight);
  state.view = { x0, x1, y0, y1 };
}

/** Move by parts of the view. */
function move(state, partX, partY) {
  const { x0, x1, y0, y1 } = state.view;
  const [dx, dy] = [partX * (x1 - x0), partY * (y1 - y0)];
  setView(state, { x0: x0 + dx, x1: x1 + dx, y0: y0 + dy, y1: y1 + dy });
}

/** Shrink or stretch the view around a place, which stays where it is. */
function zoom(state, factorX, factorY, at) {
  const { x0, x1, y0, y1 } = state.view;
  const { x, y } = at ?? { x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
  setView(state, {
    x0: x - (x - x0) * factorX,
    x1: x + (x1 - x) * factorX,
    y0: y - (y - y0) * factorY,
    y1: y + (y1 - y) * factorY,
  });
}

/** Show one sample, or all in a row (null); what was seen of a sample is seen of the next. */
function showSample(state, sample) {
  const [before] = boundsOf(state);
  const row = state.sample === null || sample === null;
  state.sample = sample === null ? null : Math.min(Math.max(sample, 0), state.samples - 1);
  const [start, end] = boundsOf(state);
  const { x0, x1, y0, y1 } = state.view;
  setView(state, row ? { x0: start, x1: end, y0, y1 } : { x0: x0 - before + start, x1: x1 - before + start, y0, y1 });
}

function setShown(state, population, shown) {
  population.shown = shown;
  restack(state);
  state.view = { ...state.view, y0: 0, y1: state.height };
}

/** Go to the next difference of two runs, or to the one before. */
function goToDifference(state, way) {
  const end = way > 0 ? -1 : Infinity;
  const place = state.difference ?? { position: end, population: end, neuron: end, layer: end };
  const found = differenceNextTo(state.populations, place, way);
  if (!found) return false;
  state.difference = found;
  const sample = Math.floor(found.position / state.steps);
  if (state.sample !== null && state.sample !== sample) showSample(state, sample);
  const band = state.bands.find((one) => one.index === found.population);
  const wide = Math.min(state.view.x1 - state.view.x0, 200) / 2;
  const high = Math.min(state.view.y1 - state.view.y0, pitch(band) * 40, state.height) / 2;
  const y = heightOf(band, found.neuron + 0.5);
  setView(state, { x0: found.position - wide, x1: found.position + wide, y0: y - high, y1: y + high });
  takeVoltage(state, band.population.name, found.neuron);
  return true;
}
