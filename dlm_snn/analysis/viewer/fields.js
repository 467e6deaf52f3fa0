// Text fields: neurons whose voltage is shown, and the selection without a mouse.

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
  const label = `Membrane voltages of chosen neurons over the time shown: ${quantityOf(state)}`;
  element("voltage").setAttribute("aria-label", label);
  const own = state.populations.find((one) => one.name === population);
  element("voltage-population").value = population;
  element("voltage-neurons").value = neurons.map((neuron) => (own ? unitOf(own, neuron) : neuron)).join(", ");
  const membranes = state.membranes.flat().filter((one) => one.population === population);
  const missing = neurons.filter((neuron) => !membranes.some((one) => one.place.has(neuron)));
  const notes = [];
  if (missing.length) notes.push(`not in this page: ${missing.join(", ")}`);
  const [{ neurons: held, of, samples }] = membranes;
  if (held.length < of) notes.push(`the page holds the ${held.length.toLocaleString("en")} most active neurons`);
  if (samples < state.samples) notes.push(`v of the first ${samples === 1 ? "sample" : many(samples, "sample")}`);
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
    parts.push(
      ...(neurons ? runsOf(neurons) : [[0, own.neurons]]).map(([first, last]) => ({ population, first, last })),
    );
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
