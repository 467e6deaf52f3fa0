// What is selected: steps from up to to, and neurons first up to last of some populations.
// A selection is {from, to, parts: [{population, first, last}]}; populations that are hidden do not count.

const TOLD = 4; // spans of neurons that a sentence names

/** The selection of a rectangle between two places of the plot. */
function selectionBetween(state, a, b) {
  const [low, high] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
  const [start, end] = boundsOf(state);
  const from = Math.min(Math.max(Math.floor(Math.min(a.x, b.x)), start), end);
  const to = Math.max(Math.min(Math.ceil(Math.max(a.x, b.x)), end), from);
  const parts = state.bands.flatMap((band) => {
    const [first, last] = neuronsBetween(band, low, high);
    return first < last ? [{ population: band.index, first, last }] : [];
  });
  return { from, to, parts };
}

function shownParts(state) {
  return state.selection.parts.filter(
    ({ population, first, last }) => first < last && state.populations[population].shown,
  );
}

/** Spikes of each layer, neurons, and seconds of the selection. */
function measured(state) {
  const { from, to } = state.selection;
  const parts = shownParts(state);
  const layers = state.populations[0].layers.map((_, layer) => {
    const counts = parts.map((part) =>
      countIn(state.populations[part.population].layers[layer], part.first, part.last, from, to),
    );
    return counts.reduce((a, b) => a + b, 0);
  });
  const neurons = parts.reduce((sum, { first, last }) => sum + last - first, 0);
  return { layers, neurons, seconds: (to - from) * state.dt };
}

/** Spikes of each run, from those of each layer. */
function ofRuns([both, first, second]) {
  return first === undefined ? [both] : [both + first, both + second];
}

function hertz(spikes, neurons, seconds) {
  return neurons && seconds ? `${short(spikes / neurons / seconds)} Hz` : "no rate";
}

/** Some neurons of a population in words. */
function toldPart(state, { population, first, last }) {
  const own = state.populations[population];
  const [one, other] = [unitOf(own, first), unitOf(own, last - 1)];
  return last - first === 1 ? `${own.name} ${one}` : `${own.name} ${one} to ${other}`;
}

/** Neurons of several populations in words; of many, how many. */
function toldParts(state, parts) {
  if (!parts.length) return "none";
  const populations = new Set(parts.map((part) => part.population)).size;
  return parts.length > TOLD ? many(populations, "population") : parts.map((part) => toldPart(state, part)).join(", ");
}

/** The selection in words. */
function toldSelection(state) {
  const { layers, neurons, seconds } = measured(state);
  const span = toldSpan(state, state.selection.from, state.selection.to);
  const where = `${many(neurons, "neuron")} (${toldParts(state, shownParts(state))}), ${span}`;
  const counts = layers.map((count) => count.toLocaleString("en"));
  const rates = ofRuns(layers).map((count) => hertz(count, neurons, seconds));
  if (layers.length === 1) return `Selected: ${many(layers[0], "spike")} of ${where}; ${rates[0]}.`;
  const [one, other] = state.names;
  const split = `${counts[0]} spikes in both, ${counts[1]} only in ${one}, ${counts[2]} only in ${other}`;
  return `Selected: ${split}, of ${where}; ${one} ${rates[0]}, ${other} ${rates[1]}.`;
}

function toldSpan(state, from, to) {
  return `${milliseconds(state.clock(from))} to ${milliseconds(state.clock(to))} ms`;
}

function quoted(text) {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The selected spikes as CSV, in pieces: a title line, then a spike a line, by population, neuron and time. */
function* csvPieces(state) {
  const named = state.populations.some((one) => Array.isArray(one.units));
  const two = state.names.length > 1;
  yield `population,sample,step,neuron,time_ms${named ? ",unit" : ""}${two ? ",run" : ""}\n`;
  const runs = ["both", ...state.names.map((name) => `only ${name}`)].map(quoted);
  for (const { population, first, last } of shownParts(state)) {
    const own = state.populations[population];
    for (let neuron = first; neuron < last; neuron++) {
      const before = `${quoted(own.name)},`;
      const after = named ? `,${quoted(unitOf(own, neuron))}` : "";
      const lines = own.layers.flatMap((layer, index) =>
        linesOf(state, own, layer, neuron, before, two ? `${after},${runs[index]}` : after),
      );
      lines.sort((a, b) => a[0] - b[0]);
      if (lines.length) yield lines.map((line) => line[1]).join("");
    }
  }
}

/** [position, line] of each selected spike of one neuron. */
function linesOf(state, population, layer, neuron, before, after) {
  const [low, high] = placesOf(layer, neuron, state.selection.from, state.selection.to);
  const number = Array.isArray(population.units) ? neuron : neuron + population.units;
  const lines = [];
  for (let i = low; i < high; i++) {
    const sample = Math.floor(layer.at[i] / state.steps) + state.firstSample;
    const step = (layer.at[i] % state.steps) + state.firstStep;
    const time = Number((step * state.dt * 1e3).toPrecision(12));
    lines.push([layer.at[i], `${before}${sample},${step},${number},${time}${after}\n`]);
  }
  return lines;
}

/** Hand the selection to the browser as a file; nothing is requested. */
function saveSelection(state) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([...csvPieces(state)], { type: "text/csv" }));
  link.download = "selected-spikes.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
