// A frame in space: the prediction over the truth, turned by pointer, touch or keys.

const START = { yaw: 0.6, pitch: 0.25, zoom: 1 };
const TURN = 0.01; // radians a pixel
const KEYS = {
  ArrowLeft: [-0.1, 0, 1], ArrowRight: [0.1, 0, 1], ArrowUp: [0, -0.1, 1], ArrowDown: [0, 0.1, 1],
  '+': [0, 0, 1.15], '=': [0, 0, 1.15], '-': [0, 0, 1 / 1.15],
};

// One view for all scenes that are shown together, so that they turn together.
class View {
  constructor(start = START) {
    this.drawn = [];
    this.asked = false;
    this.start = start;
    Object.assign(this, start);
  }

  move(yaw, pitch, zoom) {
    this.yaw += yaw;
    this.pitch = Math.max(-1.57, Math.min(1.57, this.pitch + pitch));
    this.zoom = Math.max(0.3, Math.min(8, this.zoom * zoom));
    this.ask();
  }

  reset() {
    Object.assign(this, this.start);
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.drawn.forEach((draw) => draw());
    });
  }

  // Turned about the vertical axis, then about the horizontal one; z points away from us.
  turned([x, y, z]) {
    const [cy, sy, cp, sp] = [Math.cos(this.yaw), Math.sin(this.yaw), Math.cos(this.pitch), Math.sin(this.pitch)];
    const right = cy * x + sy * z;
    const away = cy * z - sy * x;
    return [right, cp * y - sp * away, sp * y + cp * away];
  }
}

// The predicted and the true points of a scene, in the unit of the data.
function unpacked(scene) {
  const bytes = Uint8Array.from(atob(scene.points), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const count = bytes.length / 12;
  const point = (i) => [0, 1, 2].map((k) => view.getInt16(6 * i + 2 * k, true) * scene.scale);
  const all = Array.from({ length: 2 * count }, (_, i) => point(i));
  return { predicted: all.slice(0, count), truth: all.slice(count) };
}

function distance(a, b) {
  return Math.hypot(...a.map((value, i) => value - b[i]));
}

function colours(element) {
  const style = getComputedStyle(element);
  const named = (name) => style.getPropertyValue(`--${name}`).trim();
  return { truth: named('truth'), predicted: named('predicted'), error: named('error'), page: named('page'), ink: named('ink') };
}

// The context of an emptied canvas, with its width and height in pixels of the page.
function blankCanvas(element) {
  const [width, height] = [element.clientWidth, element.clientHeight];
  const ratio = window.devicePixelRatio || 1;
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  const context = element.getContext('2d');
  context.scale(ratio, ratio);
  return [context, width, height];
}

function sceneCanvas(scene, points, column, view, label) {
  const element = html('canvas', { tabindex: 0, role: 'img', 'aria-label': label });
  const extent = Math.max(...[...points.predicted, ...points.truth].map((p) => Math.hypot(...p))) || 1;
  const hidden = new Set(scene.hidden);
  const uncounted = new Set(scene.uncounted);
  const draw = () => {
    const [context, width, height] = blankCanvas(element);
    if (!width) return;
    const size = (0.46 * Math.min(width, height) * view.zoom) / extent;
    const place = (p) => {
      const [x, y, z] = view.turned(p);
      return [width / 2 + size * x, height / 2 + size * y, z];
    };
    // Where both are close the prediction lies over the truth.
    const over = ([x, y, z]) => [x, y, z - 0.1 * extent];
    paint(context, points.predicted.map((p) => over(place(p))), points.truth.map(place), column.edges, hidden, uncounted, colours(element));
    paintAxes(context, view, height, colours(element));
  };
  turnable(element, view);
  view.drawn.push(draw);
  onWidth(element, draw);
  return element;
}

// Paints from far to near.
function paint(context, predicted, truth, edges, hidden, uncounted, colour) {
  const items = [];
  const add = (depth, work) => items.push({ depth, work });
  const line = (a, b, style, width, dash) => add((a[2] + b[2]) / 2, () => {
    context.beginPath();
    context.setLineDash(dash);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.moveTo(a[0], a[1]);
    context.lineTo(b[0], b[1]);
    context.stroke();
  });
  const dot = (p, i, style, radius) => add(p[2] - 1e-6, () => {
    context.beginPath();
    context.setLineDash([]);
    context.globalAlpha = uncounted.has(i) ? 0.35 : 1;
    context.arc(p[0], p[1], hidden.has(i) ? radius + 1.5 : radius, 0, 2 * Math.PI);
    context.fillStyle = hidden.has(i) ? colour.page : style;
    context.fill();
    context.lineWidth = 1.75;
    context.strokeStyle = style;
    context.stroke();
    context.globalAlpha = 1;
  });
  for (const [a, b] of edges) {
    if (!uncounted.has(a) && !uncounted.has(b)) line(truth[a], truth[b], colour.truth, 3, []);
    line(predicted[a], predicted[b], colour.predicted, 2, []);
  }
  predicted.forEach((p, i) => {
    dot(p, i, colour.predicted, 2.5);
    if (uncounted.has(i)) return;
    line(truth[i], p, colour.error, 1.25, [3, 2]);
    dot(truth[i], i, colour.truth, 2.5);
  });
  items.sort((a, b) => b.depth - a.depth);
  items.forEach((item) => item.work());
}

// The camera's axes in a corner: z is the way in which it looks.
function paintAxes(context, view, height, colour) {
  context.setLineDash([]);
  context.lineWidth = 1;
  context.strokeStyle = colour.ink;
  context.fillStyle = colour.ink;
  context.font = '11px system-ui, sans-serif';
  for (const [name, axis] of [['x', [1, 0, 0]], ['y', [0, 1, 0]], ['z', [0, 0, 1]]]) {
    const [x, y] = view.turned(axis);
    context.beginPath();
    context.moveTo(30, height - 30);
    context.lineTo(30 + 16 * x, height - 30 + 16 * y);
    context.stroke();
    context.fillText(name, 27 + 24 * x, height - 26 + 24 * y);
  }
}

// Buttons that do what pointer and keys do.
function turningTools(view) {
  const button = (text, act) => {
    const made = html('button', { type: 'button' }, text);
    made.addEventListener('click', act);
    return made;
  };
  return html('div', { class: 'tools' },
    button('Left', () => view.move(-0.3, 0, 1)), button('Right', () => view.move(0.3, 0, 1)),
    button('Up', () => view.move(0, -0.3, 1)), button('Down', () => view.move(0, 0.3, 1)),
    button('Nearer', () => view.move(0, 0, 1.25)), button('Farther', () => view.move(0, 0, 0.8)),
    button('Reset', () => view.reset()));
}

function turnable(element, view) {
  let last = null;
  element.addEventListener('pointerdown', (event) => {
    last = [event.clientX, event.clientY];
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener('pointermove', (event) => {
    if (!last) return;
    view.move(TURN * (last[0] - event.clientX), TURN * (event.clientY - last[1]), 1);
    last = [event.clientX, event.clientY];
  });
  for (const name of ['pointerup', 'pointercancel']) element.addEventListener(name, () => { last = null; });
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Home') view.reset();
    else if (KEYS[event.key]) view.move(...KEYS[event.key]);
    else return;
    event.preventDefault();
  });
}
