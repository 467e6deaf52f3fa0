// Mouse, touch and keys.

const CLICK = 4; // pixels that a click may move

/** The place of the plot under a pointer. */
function placeUnder(state, canvas, event) {
  const { left, top } = canvas.getBoundingClientRect();
  const { plot } = state.frame;
  const { x0, x1, y0, y1 } = state.view;
  return {
    x: x0 + ((event.clientX - left - plot.x) / plot.w) * (x1 - x0),
    y: y1 - ((event.clientY - top - plot.y) / plot.h) * (y1 - y0),
  };
}

function listenToPointer(state, canvas, draw) {
  const held = new Map();
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
    drag = held.size > 1 ? null : begunDrag(state, canvas, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    sayUnder(state, placeUnder(state, canvas, event));
    if (!held.has(event.pointerId)) return;
    const before = held.get(event.pointerId);
    const others = [...held.values()].filter((one) => one.pointerId !== event.pointerId);
    held.set(event.pointerId, event);
    if (others.length) draw(pinch(state, canvas, before, event, others[0]));
    else if (drag) draw(goOn(state, canvas, drag, event));
  });
  const end = (event) => {
    held.delete(event.pointerId);
    if (drag && !drag.moved && event.type === "pointerup") draw(clicked(state, drag.place));
    if (drag?.selects && drag.moved) fillFields(state);
    drag = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("dblclick", () => draw(showAll(state)));
  canvas.addEventListener("wheel", (event) => draw(turned(state, canvas, event)), { passive: false });
}

function begunDrag(state, canvas, event) {
  const selects = state.selecting || event.shiftKey;
  return { event, place: placeUnder(state, canvas, event), view: state.view, selects, moved: false };
}

function goOn(state, canvas, drag, event) {
  const far = Math.hypot(event.clientX - drag.event.clientX, event.clientY - drag.event.clientY);
  drag.moved ||= far > CLICK;
  if (!drag.moved) return;
  if (drag.selects) {
    state.selection = selectionBetween(state, drag.place, placeUnder(state, canvas, event));
    return;
  }
  const { plot } = state.frame;
  const { x0, x1, y0, y1 } = drag.view;
  const dx = ((drag.event.clientX - event.clientX) / plot.w) * (x1 - x0);
  const dy = ((event.clientY - drag.event.clientY) / plot.h) * (y1 - y0);
  setView(state, { x0: x0 + dx, x1: x1 + dx, y0: y0 + dy, y1: y1 + dy });
}

/** Two fingers: the distance between them zooms, their middle moves. */
function pinch(state, canvas, before, now, other) {
  const apart = (a) => Math.max(20, Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY));
  const mean = (a, key) => (a[key] + other[key]) / 2;
  const middle = (a) => placeUnder(state, canvas, { clientX: mean(a, "clientX"), clientY: mean(a, "clientY") });
  const [was, is] = [middle(before), middle(now)];
  const { x0, x1, y0, y1 } = state.view;
  setView(state, { x0: x0 + was.x - is.x, x1: x1 + was.x - is.x, y0: y0 + was.y - is.y, y1: y1 + was.y - is.y });
  const factor = apart(before) / apart(now);
  zoom(state, factor, factor, was);
}

/** The wheel zooms into time, with Shift into neurons; a pinch on a touchpad, which comes as Ctrl, into both. */
function turned(state, canvas, event) {
  event.preventDefault();
  const factor = Math.exp(Math.min(Math.max((event.deltaY || event.deltaX) / 400, -1), 1));
  const [x, y] = event.ctrlKey ? [factor, factor] : event.shiftKey ? [1, factor] : [factor, 1];
  zoom(state, x, y, placeUnder(state, canvas, event));
}

/** A click chooses the neuron whose voltage is shown. */
function clicked(state, place) {
  const found = neuronAt(state.bands, place.y);
  if (found && takeVoltage(state, found.band.population.name, found.neuron)) sayVoltage(state);
}

function sayUnder(state, { x, y }) {
  const found = neuronAt(state.bands, y);
  const [start, end] = boundsOf(state);
  if (!found || x < start || x >= end) {
    element("under").textContent = "\u00a0";
    return;
  }
  const { population } = found.band;
  const position = Math.floor(x);
  const place = `${population.name} ${unitOf(population, found.neuron)}, ${toldPlace(state, position)}`;
  element("under").textContent = `Under the pointer: ${place}, ${milliseconds(state.clock(position))} ms`;
}

/** What keys do; with Shift first, where it makes a difference. */
function keysOf(state, go) {
  return {
    ArrowLeft: () => move(state, -0.2, 0),
    ArrowRight: () => move(state, 0.2, 0),
    ArrowUp: () => move(state, 0, 0.2),
    ArrowDown: () => move(state, 0, -0.2),
    "Shift ArrowUp": () => zoom(state, 1, 1 / 1.5),
    "Shift ArrowDown": () => zoom(state, 1, 1.5),
    "+": () => zoom(state, 1 / 1.5, 1),
    "=": () => zoom(state, 1 / 1.5, 1),
    "-": () => zoom(state, 1.5, 1),
    0: () => showAll(state),
    s: () => (state.selecting = !state.selecting),
    "[": () => state.samples > 1 && showSample(state, nextSample(state, -1)),
    "]": () => state.samples > 1 && showSample(state, nextSample(state, 1)),
    n: () => go(1),
    p: () => go(-1),
    Escape: () => clearSelection(state),
  };
}

function clearSelection(state) {
  state.selection = null;
  fillFields(state);
}

function listenToKeys(state, draw, go) {
  const keys = keysOf(state, go);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), select, summary");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keys[event.shiftKey ? `Shift ${event.key}` : event.key] ?? keys[event.key];
    if (!action) return;
    event.preventDefault();
    draw(action());
  });
}
