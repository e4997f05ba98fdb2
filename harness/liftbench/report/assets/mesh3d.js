// A mesh with a colour for each vertex, turned by pointer, touch or keys.

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

function unpackedMesh(frame, faces) {
  const places = new Int16Array(bytesOf(frame.vertices));
  const colours = new Uint8Array(bytesOf(frame.colours));
  const corners = new Uint16Array(bytesOf(faces));
  const vertices = Array.from({ length: places.length / 3 }, (_, i) => Array.from(places.subarray(3 * i, 3 * i + 3)));
  const triangles = Array.from({ length: corners.length / 3 }, (_, i) => {
    const own = Array.from(corners.subarray(3 * i, 3 * i + 3));
    const colour = [0, 1, 2].map((k) => own.reduce((sum, v) => sum + colours[3 * v + k], 0) / 3);
    return { corners: own, colour };
  });
  return { vertices, triangles };
}

function meshCanvas(mesh, view, label) {
  const element = html('canvas', { tabindex: 0, role: 'img', 'aria-label': label });
  const extent = Math.max(...mesh.vertices.map((p) => Math.hypot(...p))) || 1;
  const draw = () => {
    const [context, width, height] = blankCanvas(element);
    if (!width) return;
    const size = (0.46 * Math.min(width, height) * view.zoom) / extent;
    const placed = mesh.vertices.map((p) => {
      const [x, y, z] = view.turned(p);
      return [width / 2 + size * x, height / 2 + size * y, size * z];
    });
    paintTriangles(context, mesh.triangles, placed);
  };
  turnable(element, view);
  view.drawn.push(draw);
  onWidth(element, draw);
  return element;
}

// Paints the triangles that face us, from far to near; y points down and z away.
function paintTriangles(context, triangles, placed) {
  const items = [];
  for (const { corners, colour } of triangles) {
    const [a, b, c] = corners.map((v) => placed[v]);
    const [ux, uy, uz] = [0, 1, 2].map((k) => b[k] - a[k]);
    const [vx, vy, vz] = [0, 1, 2].map((k) => c[k] - a[k]);
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    if (normal[2] >= 0) continue;
    const length = Math.hypot(...normal) || 1;
    const light = (-0.4 * normal[0] - 0.6 * normal[1] - 0.7 * normal[2]) / length;
    const shade = 0.7 + 0.35 * Math.max(0, light);
    items.push({ depth: a[2] + b[2] + c[2], a, b, c, style: `rgb(${colour.map((value) => Math.min(255, Math.round(shade * value))).join(' ')})` });
  }
  items.sort((one, other) => other.depth - one.depth);
  context.lineWidth = 0.75;
  context.lineJoin = 'round';
  for (const { a, b, c, style } of items) {
    context.beginPath();
    context.moveTo(a[0], a[1]);
    context.lineTo(b[0], b[1]);
    context.lineTo(c[0], c[1]);
    context.closePath();
    context.fillStyle = style;
    context.strokeStyle = style; // hides the seams between neighbours
    context.fill();
    context.stroke();
  }
}

const AS_SEEN = { yaw: 0, pitch: 0, zoom: 1 };

function drawMeshGallery(host, gallery) {
  const view = new View(AS_SEEN);
  const scenes = gallery.frames.map((frame) => {
    const described = `${frame.name}, ${gallery.metric} ${short(frame.value)}`;
    return html('figure', { class: 'scene' },
      html('figcaption', {}, described),
      pictureOf(frame.picture, { edges: [] }, `What ${gallery.method} saw, and its points`),
      gallery.faces && meshCanvas(unpackedMesh(frame, gallery.faces), view, `Mesh of ${gallery.method}: ${described}`));
  });
  host.replaceChildren(
    html('div', { class: 'scenes' }, scenes),
    gallery.faces ? turningTools(view) : html('p', { class: 'caption' }, `Meshes of ${gallery.triangles} triangles are too large to turn here; they are in the figures.`),
    html('p', { class: 'caption' }, `Seed ${gallery.seed}, run ${gallery.key.slice(0, 12)}: frames from the best to the worst, with the colours that the method finds. `,
      'Meshes start as the camera sees them. Drag to turn; keys: arrows, + and −, Home.'));
}
