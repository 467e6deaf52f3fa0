// Populations stacked: each in a band, the first at the bottom, neuron 0 at the bottom of its band.
// A band is as high as the root of its number of neurons, so that ten outputs are seen beside a thousand others.

const NAME = 16 / 400; // of the plot, above each band: where its name stands
const NAMES = 0.5; // of the plot, at most, for all names

/** Bands of the populations shown: [{index, population, bottom, height}], the gap above each, and the height in all. */
function bandsOf(populations) {
  const shown = populations.map((population, index) => ({ population, index })).filter((one) => one.population.shown);
  const heights = shown.map(({ population }) => Math.sqrt(Math.max(population.neurons, 1)));
  const names = Math.min(NAMES, NAME * shown.length);
  const gap = (heights.reduce((a, b) => a + b, 0) * names) / (1 - names) / Math.max(shown.length, 1);
  let bottom = 0;
  const bands = shown.map((one, i) => {
    const band = { ...one, bottom, height: heights[i] };
    bottom += heights[i] + gap;
    return band;
  });
  return { bands, gap, height: bottom || 1 };
}

/** Height of one neuron of a band. */
function pitch(band) {
  return band.height / Math.max(band.population.neurons, 1);
}

function heightOf(band, neuron) {
  return band.bottom + neuron * pitch(band);
}

/** Neurons of a band between two heights, as [first, one past the last]. */
function neuronsBetween(band, low, high) {
  const count = band.population.neurons;
  const first = Math.max(0, Math.floor((low - band.bottom) / pitch(band)));
  const last = Math.min(count, Math.ceil((high - band.bottom) / pitch(band)));
  return [Math.min(first, count), Math.max(last, Math.min(first, count))];
}

/** The band and the neuron at a height; undefined between bands. */
function neuronAt(bands, y) {
  const band = bands.find((one) => y >= one.bottom && y < one.bottom + one.height);
  if (!band || !band.population.neurons) return undefined;
  return { band, neuron: Math.min(band.population.neurons - 1, Math.floor((y - band.bottom) / pitch(band))) };
}
