// Spikes of one layer: sorted within each neuron, so that a part is found by halving.

/** The first place from low up to high whose spike is at x or later; high where there is none. */
function lower(at, low, high, x) {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Places of one neuron's spikes with from <= position < to. */
function placesOf(layer, neuron, from, to) {
  const low = lower(layer.at, layer.starts[neuron], layer.starts[neuron + 1], from);
  return [low, lower(layer.at, low, layer.starts[neuron + 1], to)];
}

function countIn(layer, first, last, from, to) {
  let count = 0;
  for (let neuron = first; neuron < last; neuron++) {
    const [low, high] = placesOf(layer, neuron, from, to);
    count += high - low;
  }
  return count;
}

/** What a neuron is called: the file's name for it, or its number. */
function unitOf(population, neuron) {
  return Array.isArray(population.units) ? population.units[neuron] : String(population.units + neuron);
}

/** The neuron of a name; -1 where there is none. */
function neuronOf(population, name) {
  if (Array.isArray(population.units)) return population.units.indexOf(name);
  const neuron = Number(name) - population.units;
  return name !== "" && Number.isInteger(neuron) && neuron >= 0 && neuron < population.neurons ? neuron : -1;
}

// Spikes that only one of two runs has, in the order of their time; equal times by population and neuron.

function isBefore(a, b) {
  return a.position - b.position || a.population - b.population || a.neuron - b.neuron || a.layer - b.layer;
}

/** The difference next to a place, forwards (+1) or backwards (-1); undefined where there is none. */
function differenceNextTo(populations, place, way) {
  let found;
  const offer = (candidate) => {
    if (way * isBefore(candidate, place) <= 0) return;
    if (!found || way * isBefore(candidate, found) < 0) found = candidate;
  };
  eachLoneNeuron(populations, (layer, key) => {
    const start = layer.starts[key.neuron];
    const end = layer.starts[key.neuron + 1];
    const at = lower(layer.at, start, end, place.position);
    for (let i = Math.max(start, at - 1); i < Math.min(end, at + 2); i++) offer({ ...key, position: layer.at[i] });
  });
  return found;
}

function eachLoneNeuron(populations, visit) {
  populations.forEach(({ shown, neurons, layers }, population) => {
    for (let layer = 1; shown && layer < layers.length; layer++) {
      const { starts } = layers[layer];
      for (let neuron = 0; neuron < neurons; neuron++) {
        if (starts[neuron] < starts[neuron + 1]) visit(layers[layer], { population, neuron, layer });
      }
    }
  });
}

/** How many differences come before one, and how many there are, of the populations shown. */
function rankOf(populations, place) {
  let before = 0;
  let all = 0;
  eachLoneNeuron(populations, (layer, key) => {
    const [start, end] = [layer.starts[key.neuron], layer.starts[key.neuron + 1]];
    const at = lower(layer.at, start, end, place.position);
    all += end - start;
    before += at - start;
    if (at < end && isBefore({ ...key, position: layer.at[at] }, place) < 0) before++;
  });
  return [before, all];
}
