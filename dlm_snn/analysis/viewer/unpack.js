// From the page's text to typed arrays: what packing.py packed.

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function inflated(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** LEB128 into an array; products, since shifts end at 32 bits. */
function readLeb128(bytes, numbers) {
  let at = 0;
  for (let i = 0; i < numbers.length; i++) {
    let byte = bytes[at++];
    let value = byte & 127;
    for (let place = 128; byte > 127; place *= 128) {
      byte = bytes[at++];
      value += (byte & 127) * place;
    }
    numbers[i] = value;
  }
}

/** Put the low bits, at most 16 of each, under the numbers: each becomes number * 2^low + its bits. */
function addLowBits(bytes, low, numbers) {
  const scale = 2 ** low;
  const mask = scale - 1;
  const padded = new Uint8Array(bytes.length + 2);
  padded.set(bytes);
  for (let i = 0; i < numbers.length; i++) {
    const bit = i * low;
    const at = bit >>> 3;
    const window = padded[at] | (padded[at + 1] << 8) | (padded[at + 2] << 16);
    numbers[i] = numbers[i] * scale + ((window >>> (bit & 7)) & mask);
  }
}

/** Running sums of what each neuron has, from 0: neuron k has the places starts[k] up to starts[k + 1]. */
function startsOf(counts) {
  const starts = new Uint32Array(counts.length + 1);
  for (let k = 0; k < counts.length; k++) starts[k + 1] = starts[k] + counts[k];
  return starts;
}

function sumWithinNeurons(starts, at) {
  for (let k = 0; k + 1 < starts.length; k++) {
    for (let i = starts[k] + 1; i < starts[k + 1]; i++) at[i] += at[i - 1];
  }
}

/** One layer of a population: {size, starts, at}; at holds sample * steps + step, in order within each neuron. */
async function unpackedLayer(layer, neurons, positions) {
  const counts = new Uint32Array(neurons);
  readLeb128(await inflated(layer.counts), counts);
  const starts = startsOf(counts);
  const at = new (positions < 2 ** 32 ? Uint32Array : Float64Array)(layer.size);
  readLeb128(await inflated(layer.high), at);
  if (layer.low) addLowBits(bytesOf(layer.bits), layer.low, at);
  sumWithinNeurons(starts, at);
  return { size: layer.size, starts, at };
}

async function unpackedPopulation(population, positions) {
  const { name, neurons, units } = population;
  const layers = [];
  for (const layer of population.layers) layers.push(await unpackedLayer(layer, neurons, positions));
  return { name, neurons, units, layers, shown: true };
}

/** Voltages of one population: values (neuron, sample, step), NaN where they were not finite. */
async function unpackedMembrane(membrane) {
  const bytes = await inflated(membrane.values);
  const whole = new DataView(bytes.buffer);
  const values = new Float64Array(bytes.length / 2);
  for (let i = 0; i < values.length; i++) {
    const value = whole.getInt16(2 * i, true);
    values[i] = value === -32768 ? NaN : value * membrane.unit;
  }
  const place = new Map(membrane.neurons.map((neuron, i) => [neuron, i]));
  return { ...membrane, values, place };
}
