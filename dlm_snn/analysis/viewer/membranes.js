// Membrane voltages of chosen neurons, in units of the threshold, below the spikes and on their time axis.

/** Neurons of a text such as "0, 3-5", by what the file calls them; null where it names none or a wrong one. */
function neuronsOf(population, text) {
  const found = [];
  for (const piece of text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean)) {
    const whole = neuronOf(population, piece);
    const [first, last] = whole >= 0 ? [whole, whole] : piece.split("-").map((end) => neuronOf(population, end.trim()));
    if (!(first >= 0) || !(last >= first)) return null;
    for (let neuron = first; neuron <= last; neuron++) found.push(neuron);
  }
  return found.length ? [...new Set(found)] : null;
}

/** Voltages that are drawn: [{values, samples, steps, run, neuron, rank}], of the runs that have them. */
function chosenVoltages(state) {
  const { population, neurons } = state.voltage;
  return state.membranes.flatMap((ofRun, run) => {
    const membrane = ofRun.find((one) => one.population === population);
    return (membrane ? neurons : []).flatMap((neuron, rank) => {
      if (!membrane.place.has(neuron)) return [];
      const size = membrane.samples * membrane.steps;
      const start = membrane.place.get(neuron) * size;
      return [{ ...membrane, values: membrane.values.subarray(start, start + size), run, neuron, rank }];
    });
  });
}

/** Which v is drawn: a page has one of the two for all runs of a population. */
function quantityOf(state) {
  const held = state.membranes.flat().filter((one) => one.population === state.voltage.population);
  const unit = held.some((one) => one.threshold) ? "v / threshold" : "v";
  return `${unit} ${held.some((one) => one.before) ? "before the reset" : "at the end of the step"}`;
}

/** The part of a voltage in view as [position, value], one of each step. */
function* pointsOf(voltage, view, steps) {
  const first = Math.max(0, Math.floor(view.x0) - 1);
  const last = Math.min(voltage.samples * steps, Math.ceil(view.x1) + 1);
  for (let position = first; position < last; position++) {
    const [sample, step] = [Math.floor(position / steps), position % steps];
    if (step < voltage.steps) yield [position, voltage.values[sample * voltage.steps + step], step];
  }
}

function rangeOf(voltages, view, steps) {
  let [low, high] = [0, voltages.some((one) => one.threshold) ? 1.1 : 0];
  for (const voltage of voltages) {
    for (const [, value] of pointsOf(voltage, view, steps)) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return high > low ? [low, high + (high - low) * 0.05] : [low, low + 1];
}

function drawVoltages(canvas, state, colors) {
  const frame = framed(canvas, 18, 4);
  const { context, plot } = frame;
  const voltages = chosenVoltages(state);
  const [low, high] = rangeOf(voltages, state.view, state.steps);
  const toY = (value) => plot.y + plot.h - ((value - low) / (high - low)) * plot.h;
  drawLevels(frame, low, high, toY, voltages, colors);
  context.save();
  context.beginPath();
  context.rect(plot.x, plot.y, plot.w, plot.h);
  context.clip();
  for (const voltage of voltages) drawVoltage(context, plot, voltage, state, toY, colors);
  context.restore();
  drawFrame(frame, colors.line);
  drawVoltageNames(context, plot, state, voltages, colors);
}

function drawLevels({ context, plot }, low, high, toY, voltages, colors) {
  context.fillStyle = colors.text;
  context.textAlign = "right";
  for (const tick of ticks(low, high, plot.h / 34)) context.fillText(short(tick), plot.x - 6, toY(tick) + 4);
  if (!voltages.some((one) => one.threshold)) return;
  context.strokeStyle = colors.quiet;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(plot.x, toY(1));
  context.lineTo(plot.x + plot.w, toY(1));
  context.stroke();
  context.setLineDash([]);
}

/** A line; of the second run dashed. Samples are not joined. */
function drawVoltage(context, plot, voltage, state, toY, colors) {
  const { x0, x1 } = state.view;
  context.strokeStyle = colors.bands[voltage.rank % colors.bands.length];
  context.setLineDash(voltage.run ? [3, 3] : []);
  context.beginPath();
  let joined = false;
  for (const [position, value, step] of pointsOf(voltage, state.view, state.steps)) {
    const x = plot.x + ((position + 1 - x0) / (x1 - x0)) * plot.w;
    context[joined && step ? "lineTo" : "moveTo"](x, toY(value));
    joined = Number.isFinite(value);
  }
  context.stroke();
  context.setLineDash([]);
}

function drawVoltageNames(context, plot, state, voltages, colors) {
  const runs = new Set(voltages.map((one) => one.run)).size > 1 ? `, dashed: ${state.names[1]}` : "";
  context.textAlign = "left";
  let x = plot.x;
  const say = (text, color) => {
    context.fillStyle = color;
    const told = fitted(context, text, Math.max(0, plot.x + plot.w - x));
    context.fillText(told, x, plot.y - 5);
    x += context.measureText(told).width;
  };
  say(`${quantityOf(state)}, ${state.voltage.population}${runs}  `, colors.quiet);
  const population = state.populations.find((one) => one.name === state.voltage.population);
  for (const [neuron, rank] of new Map(voltages.map((one) => [one.neuron, one.rank]))) {
    say(`${population ? unitOf(population, neuron) : neuron}  `, colors.bands[rank % colors.bands.length]);
  }
}
