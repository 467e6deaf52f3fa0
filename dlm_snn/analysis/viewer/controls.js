// Buttons, fields and texts around the plots.

const element = (id) => document.getElementById(id);

function made(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function many(number, thing) {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}

function total(populations, layer) {
  return populations.reduce((sum, population) => sum + population.layers[layer].size, 0);
}

function swatch(color) {
  const node = made("span", { className: "swatch" });
  node.style.background = `var(${color})`;
  return node;
}

function fillSummary(state) {
  const neurons = state.populations.reduce((sum, one) => sum + one.neurons, 0);
  const spikes = ofRuns(state.populations[0].layers.map((_, layer) => total(state.populations, layer)));
  const counts = spikes.map((count) => many(count, "spike")).join(" and ");
  element("summary").textContent = `${counts} of ${many(neurons, "neuron")}; ${many(state.samples, "sample")} of ${many(state.steps, "step")}, ${short(state.dt * 1e3)} ms each.`;
}

/** A chip for each population: its color, its spikes, and whether it is shown. */
function fillPopulations(state, draw) {
  const two = state.names.length > 1;
  state.populations.forEach((population, index) => {
    const box = made("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => draw(setShown(state, population, box.checked)));
    const differ = two ? `, ${(population.layers[1].size + population.layers[2].size).toLocaleString("en")} differ` : "";
    const told = `${population.name} (${many(population.neurons, "neuron")}, ${many(total([population], 0) + (two ? population.layers[1].size : 0), "spike")}${differ})`;
    const parts = two ? [box, told] : [box, swatch(`--c${index % 6}`), told];
    element("populations").append(made("label", { className: "chip" }, ...parts));
    element("of").append(made("option", { value: index, textContent: population.name }));
  });
  if (state.populations.length > 1) element("of").prepend(made("option", { value: "all", textContent: "all shown", selected: true }));
}

/** The legend of two runs, and the buttons that go through their differences. */
function fillRuns(state, go) {
  if (state.names.length < 2) return;
  const kinds = [
    ["--both", "in both"],
    ["--first", `only in ${state.names[0]}`],
    ["--second", `only in ${state.names[1]}`],
  ];
  kinds.forEach(([color, text], layer) => {
    const told = `${text}: ${total(state.populations, layer).toLocaleString("en")}`;
    element("runs").append(made("span", { className: "chip group" }, swatch(color), told));
  });
  const none = total(state.populations, 1) + total(state.populations, 2) === 0;
  for (const [way, text, id] of [[1, "Next difference", "next-difference"], [-1, "Difference before", "difference-before"]]) {
    const button = made("button", { id, type: "button", textContent: text, disabled: none });
    button.addEventListener("click", () => go(way));
    element("runs").append(button);
  }
  element("runs").append(made("span", { id: "difference", className: "quiet", role: "status" }));
  element("difference").textContent = none ? "The two runs are equal, spike for spike." : "";
  element("runs").hidden = false;
}

function sayDifference(state, found) {
  if (!found) {
    element("difference").textContent = state.difference ? "No further difference of what is shown." : "No difference in what is shown.";
    return;
  }
  if (state.voltage.population) sayVoltage(state);
  const { population, neuron, layer, position } = state.difference;
  const own = state.populations[population];
  const [before, all] = rankOf(state.populations, state.difference);
  const [sample, step] = [Math.floor(position / state.steps), position % state.steps];
  const place = `${own.name} ${unitOf(own, neuron)}, ${state.samples > 1 ? `sample ${sample + state.firstSample}, ` : ""}step ${step + state.firstStep}`;
  element("difference").textContent = `${(before + 1).toLocaleString("en")} of ${all.toLocaleString("en")}: ${place}, only in ${state.names[layer - 1]}.`;
}

function fillSamples(state, draw) {
  if (state.samples < 2) return;
  const [field, row] = [element("sample"), element("in-a-row")];
  Object.assign(field, { min: state.firstSample, max: state.firstSample + state.samples - 1 });
  const go = (sample) => draw(showSample(state, sample));
  field.addEventListener("change", () => go(Number.parseInt(field.value, 10) - state.firstSample || 0));
  row.addEventListener("change", () => go(row.checked ? null : seenSample(state)));
  element("sample-before").addEventListener("click", () => go(nextSample(state, -1)));
  element("sample-after").addEventListener("click", () => go(nextSample(state, 1)));
  element("samples").hidden = false;
}

/** The sample in the middle of the view. */
function seenSample(state) {
  return Math.floor((state.view.x0 + state.view.x1) / 2 / state.steps);
}

/** The sample beside the one shown; out of a row, the first or the last. */
function nextSample(state, way) {
  if (state.sample === null) return way > 0 ? 0 : state.samples - 1;
  return Math.min(Math.max(state.sample + way, 0), state.samples - 1);
}

function fillVoltages(state, draw) {
  const names = [...new Set(state.membranes.flat().map((one) => one.population))];
  if (!names.length) return;
  for (const name of names) element("voltage-population").append(made("option", { value: name, textContent: name }));
  element("choose-voltage").hidden = element("voltage").hidden = false;
  element("choose-voltage").addEventListener("submit", (event) => {
    event.preventDefault();
    draw(chooseVoltage(state));
  });
  element("voltage-population").addEventListener("change", () => {
    element("voltage-neurons").value = "";
    draw(chooseVoltage(state));
  });
  sayVoltage(state);
}

/** Take the neurons of the field; where it is empty, the most active ones. */
function chooseVoltage(state) {
  const name = element("voltage-population").value;
  const field = element("voltage-neurons");
  const population = state.populations.find((one) => one.name === name) ?? { neurons: Infinity, units: 0 };
  const membranes = state.membranes.flat().filter((one) => one.population === name);
  const neurons = field.value.trim() ? neuronsOf(population, field.value) : membranes[0].neurons.slice(0, 3);
  field.setAttribute("aria-invalid", String(neurons === null));
  if (neurons === null) return;
  state.voltage = { population: name, neurons: neurons.slice(0, 12) };
  sayVoltage(state);
}

function sayVoltage(state) {
  const { population, neurons } = state.voltage;
  const own = state.populations.find((one) => one.name === population);
  element("voltage-population").value = population;
  element("voltage-neurons").value = neurons.map((neuron) => (own ? unitOf(own, neuron) : neuron)).join(", ");
  const membranes = state.membranes.flat().filter((one) => one.population === population);
  const missing = neurons.filter((neuron) => !membranes.some((one) => one.place.has(neuron)));
  const notes = [];
  if (missing.length) notes.push(`not in this page: ${missing.join(", ")}`);
  if (membranes[0].neurons.length < membranes[0].of) notes.push(`the page holds the ${membranes[0].neurons.length.toLocaleString("en")} most active neurons`);
  if (membranes[0].samples < state.samples) notes.push(`v of the first ${membranes[0].samples === 1 ? "sample" : many(membranes[0].samples, "sample")}`);
  element("voltage-note").textContent = notes.join("; ");
}

/** The selection of the text fields; null where a field is wrong, which is marked. */
function selectionOfFields(state) {
  const [start, end] = boundsOf(state);
  const times = ["from", "to"].map((id, i) => {
    const text = element(id).value.trim().replace(",", ".");
    return text === "" ? [start, end][i] : Math.min(Math.max(positionOf(state, Number(text)), start), end);
  });
  const parts = partsOfFields(state);
  const wrong = { from: Number.isNaN(times[0]), to: !(times[1] > times[0]), neurons: parts === null };
  for (const [id, is] of Object.entries(wrong)) element(id).setAttribute("aria-invalid", String(is));
  return Object.values(wrong).some(Boolean) ? null : { from: times[0], to: times[1], parts };
}

function partsOfFields(state) {
  const { value } = element("of");
  const text = element("neurons").value.trim();
  const parts = [];
  for (const [population, own] of state.populations.entries()) {
    if (value === "all" ? !own.shown : Number(value) !== population) continue;
    const neurons = text ? neuronsOf(own, text) : null;
    if (text && neurons === null) {
      if (value === "all") continue;
      return null;
    }
    parts.push(...(neurons ? runsOf(neurons) : [[0, own.neurons]]).map(([first, last]) => ({ population, first, last })));
  }
  return parts.length ? parts : null;
}

/** Numbers as spans [first, one past the last]. */
function runsOf(numbers) {
  const spans = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    if (spans.length && spans.at(-1)[1] === number) spans.at(-1)[1]++;
    else spans.push([number, number + 1]);
  }
  return spans;
}

/** The neurons in view, population by population, in words. */
function inView(state) {
  const parts = state.bands.map((band) => {
    const [first, last] = neuronsBetween(band, state.view.y0, state.view.y1);
    return { population: band.index, first, last };
  });
  return toldParts(state, parts.filter(({ first, last }) => first < last));
}

/** Texts and buttons that follow what is shown. */
function refresh(state, result) {
  const { shown, neurons } = result;
  const seconds = (state.view.x1 - state.view.x0) * state.dt;
  const rates = ofRuns(shown).map((count) => hertz(count, neurons, seconds));
  const counts = ofRuns(shown).map((count) => count.toLocaleString("en"));
  element("shown").textContent = `Shown: ${counts.join(" and ")} spikes of ${many(neurons, "neuron")} (${inView(state)}), ${toldSpan(state, state.view.x0, state.view.x1)}; ${rates.join(" and ")}.`;
  element("selected").textContent = state.selection ? toldSelection(state) : "Nothing selected.";
  for (const id of ["zoom-selected", "clear", "save"]) element(id).disabled = !state.selection;
  element("selecting").setAttribute("aria-pressed", String(state.selecting));
  element("spikes").classList.toggle("selecting", state.selecting);
  element("in-a-row").checked = state.sample === null;
  element("sample").value = state.sample === null ? "" : state.sample + state.firstSample;
}

/** The fields say what was selected by hand. */
function fillFields(state) {
  const { from, to, parts } = state.selection ?? { parts: [] };
  element("from").value = from === undefined ? "" : Number(state.clock(from).toPrecision(9));
  element("to").value = to === undefined ? "" : Number(state.clock(to).toPrecision(9));
  const [only] = parts;
  element("neurons").value = "";
  if (parts.length !== 1) return;
  const own = state.populations[only.population];
  element("of").value = String(only.population);
  if (Array.isArray(own.units) && only.last - only.first > 1) return;
  const [one, other] = [unitOf(own, only.first), unitOf(own, only.last - 1)];
  element("neurons").value = one === other ? one : `${one}-${other}`;
}
