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
  const axis = `${many(state.samples, "sample")} of ${many(state.steps, "step")}, ${short(state.dt * 1e3)} ms each`;
  element("summary").textContent = `${counts} of ${many(neurons, "neuron")}; ${axis}.`;
}

/** A chip for each population: its color, its spikes, and whether it is shown. */
function fillPopulations(state, draw) {
  state.populations.forEach((population, index) => {
    const box = made("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => draw(setShown(state, population, box.checked)));
    const colored = state.names.length > 1 ? [] : [swatch(`--c${index % 6}`)];
    const chip = made("label", { className: "chip" }, box, ...colored, toldPopulation(population));
    element("populations").append(chip);
    element("of").append(made("option", { value: index, textContent: population.name }));
  });
  if (state.populations.length < 2) return;
  element("of").prepend(made("option", { value: "all", textContent: "all shown", selected: true }));
}

/** A population in words; of two runs the spikes of the first, and how many differ. */
function toldPopulation({ name, neurons, layers }) {
  const [both, first, second] = layers.map((layer) => layer.size);
  const differ = first === undefined ? "" : `, ${(first + second).toLocaleString("en")} differ`;
  return `${name} (${many(neurons, "neuron")}, ${many(both + (first ?? 0), "spike")}${differ})`;
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
  for (const [textContent, way] of [
    ["Next difference", 1],
    ["Difference before", -1],
  ]) {
    const button = made("button", { type: "button", textContent, disabled: none });
    button.addEventListener("click", () => go(way));
    element("runs").append(button);
  }
  element("runs").append(made("span", { id: "difference", className: "quiet", role: "status" }));
  element("difference").textContent = none ? "The two runs are equal, spike for spike." : "";
  element("runs").hidden = false;
}

/** Say which difference was gone to, or that there is none. */
function sayDifference(state, found) {
  if (state.voltage.population) sayVoltage(state);
  element("difference").textContent = found ? toldDifference(state) : "No further difference of what is shown.";
}

function toldDifference(state) {
  const { population, neuron, layer, position } = state.difference;
  const own = state.populations[population];
  const [before, all] = rankOf(state.populations, state.difference);
  const rank = `${(before + 1).toLocaleString("en")} of ${all.toLocaleString("en")}`;
  return `${rank}: ${own.name} ${unitOf(own, neuron)}, ${toldPlace(state, position)}, only in ${state.names[layer - 1]}.`;
}

/** The sample, where there are several, and the step of a position. */
function toldPlace(state, position) {
  const sample = state.samples > 1 ? `sample ${Math.floor(position / state.steps) + state.firstSample}, ` : "";
  return `${sample}step ${(position % state.steps) + state.firstStep}`;
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

/** The neurons in view, population by population, in words. */
function inView(state) {
  const parts = state.bands.map((band) => {
    const [first, last] = neuronsBetween(band, state.view.y0, state.view.y1);
    return { population: band.index, first, last };
  });
  return toldParts(
    state,
    parts.filter(({ first, last }) => first < last),
  );
}

/** Texts and buttons that follow what is shown. */
function refresh(state, result) {
  const { shown, neurons } = result;
  const seconds = (state.view.x1 - state.view.x0) * state.dt;
  const rates = ofRuns(shown).map((count) => hertz(count, neurons, seconds));
  const counts = ofRuns(shown).map((count) => many(count, "spike"));
  const what = `${counts.join(" and ")} of ${many(neurons, "neuron")} (${inView(state)})`;
  const span = toldSpan(state, state.view.x0, state.view.x1);
  element("shown").textContent = `Shown: ${what}, ${span}; ${rates.join(" and ")}.`;
  element("selected").textContent = state.selection ? toldSelection(state) : "Nothing selected.";
  for (const id of ["zoom-selected", "clear", "save"]) element(id).disabled = !state.selection;
  element("selecting").setAttribute("aria-pressed", String(state.selecting));
  element("spikes").classList.toggle("selecting", state.selecting);
  element("in-a-row").checked = state.sample === null;
  element("sample").value = state.sample === null ? "" : state.sample + state.firstSample;
}
