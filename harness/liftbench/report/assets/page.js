// Puts the figures into the page and shows one suite at a time.

const suites = JSON.parse(document.getElementById('data').textContent);

function drawBars(host, suite) {
  for (const bars of suite.bars) {
    const better = bars.bars.filter((bar) => bar.ours < bar.printed).length;
    host.append(figure(`${bars.title}: ours and the papers'`,
      `Bars of ${bars.bars.length} numbers; ours is the smaller one in ${better}.`,
      barChart(bars),
      html('ul', { class: 'legend' },
        html('li', {}, html('span', { class: 'swatch ours' }), 'ours, ± over seeds'),
        html('li', {}, html('span', { class: 'swatch printed' }), 'printed in the paper')),
      numbers(['data', 'method', 'ours', 'std', 'printed', 'source'], () => bars.bars.map((bar) =>
        [bar.column, bar.method, short(bar.ours), short(bar.std), short(bar.printed), bar.source]))));
  }
}

// The curves at one value of the second axis: ours with bands, then the printed ones.
function curvesAt(plane, k) {
  return plane.surfaces.flatMap((surface) => {
    const of = (values) => values.map((line, i) => ({ at: [plane.first.severities[i], line[k]], i }))
      .filter(({ at: [, y] }) => y !== null);
    const ours = of(surface.mean);
    return [
      { method: surface.method, name: surface.method, points: ours.map(({ at }) => at),
        spread: ours.map(({ i }) => surface.std[i][k] ?? 0) },
      { method: surface.method, name: `${surface.method}, printed`, printed: true,
        points: of(surface.printed).map(({ at }) => at) },
    ].filter((one) => one.points.length);
  });
}

function drawPlane(host, suite, plane) {
  const { first, second, surfaces } = plane;
  const values = second?.labels ?? [''];
  const panels = values.map((_, k) => curvesAt(plane, k));
  const high = Math.max(...panels.flat().flatMap((one) => one.points.map(([, y], i) => y + (one.spread?.[i] ?? 0))));
  const { labels, severities } = first;
  host.replaceChildren(
    html('ul', { class: 'caption' }, [first, second].filter(Boolean).map((axis) =>
      html('li', {}, html('code', {}, axis.name), `: ${axis.heading}`))),
    html('div', { class: second ? 'panels' : '' }, panels.map((series, k) => (series.length ? figure(
      second ? `${plane.metric}, ${second.name}: ${values[k]}` : plane.metric,
      `${series.length} lines over ${first.name}; the numbers are in the tables below.`,
      lines(series, suite.methods, { label: first.name, labels, severities, markers: true, low: 0, high })) : null))),
    legend(suite.methods, surfaces.map((surface) => surface.method)),
    html('p', { class: 'caption' }, 'Bands are a standard deviation over seeds to both sides; printed numbers are dashed.'),
    html('h4', {}, 'Heat maps'),
    html('p', { class: 'caption' }, second ? `${first.name} down, ${second.name} across.` : `By ${first.name}.`,
      ' The larger a number, the darker; ± is the standard deviation over seeds, (p …) the printed number.'),
    html('div', { class: 'maps' }, heatMaps(plane)),
    html('h4', {}, 'Area under the curve'), areaTable(plane),
    html('p', { class: 'caption' },
      'The area is the mean number over all severities; the cost is the area over the clean number.'));
}

function drawPlanes(host, suite) {
  const chosen = html('div', {});
  host.append(choice('Data', suite.planes.map((plane) => plane.title), (index) =>
    drawPlane(chosen, suite, suite.planes[index])), chosen);
}

function drawColumn(host, suite, column) {
  const order = [...column.spreads].sort((a, b) => a.quantiles[2] - b.quantiles[2]);
  const best = order[0];
  const chosen = html('div', {});
  host.replaceChildren(
    figure(`Errors of frames: ${column.title}`,
      `Distributions of ${order.length} methods; the lowest median is that of ${best.method}, ${short(best.quantiles[2])}.`,
      spreadChart(column, order, suite.methods),
      html('p', { class: 'caption' },
        'Heights are shares of frames, each method to its own highest; boxes hold the middle half of them, whiskers 90 %; frames of all seeds.'),
      numbers(['method', 'seeds', 'frames', '5 %', '25 %', 'median', '75 %', '95 %'], () =>
        order.map((spread) => [spread.method, spread.seeds, spread.frames, ...spread.quantiles.map(short)]))),
    html('h4', {}, 'Best, median and worst frame'),
    choice('Method', order.map((spread) => spread.method), (index) => drawGallery(chosen, column,
      column.galleries.find((gallery) => gallery.method === order[index].method))),
    chosen);
}

// A picture with the predicted points over it.
function pictureOf(picture, column, label) {
  const at = (i) => picture.points[i];
  return svg('svg', { class: 'picture', viewBox: `0 0 ${picture.edge} ${picture.edge}`, role: 'img', 'aria-label': label },
    svg('image', { href: `data:image/jpeg;base64,${picture.jpeg}`, width: picture.edge, height: picture.edge }),
    column.edges.map(([a, b]) => svg('line', { x1: at(a)[0], y1: at(a)[1], x2: at(b)[0], y2: at(b)[1] })),
    picture.points.map(([x, y]) => svg('circle', { cx: x, cy: y, r: 1.5 })));
}

function drawGallery(host, column, gallery) {
  const view = new View();
  const scenes = gallery.scenes.map((scene) => {
    const points = unpacked(scene);
    const gaps = points.predicted.map((p, i) => distance(p, points.truth[i]));
    const farthest = gaps.indexOf(Math.max(...gaps));
    const described = `frame ${scene.frame}, in sequence ${scene.sequence}, ${column.metric} ${short(scene.error)}`;
    const far = `farthest off: ${column.names[farthest]}, ${short(gaps[farthest])} ${column.unit}`;
    return html('figure', { class: 'scene' },
      html('figcaption', {}, html('strong', {}, scene.rank), `: ${described}; ${far}`),
      scene.picture && pictureOf(scene.picture, column, `What ${gallery.method} saw, and its points`),
      sceneCanvas(scene, points, column, view, `${scene.rank} frame of ${gallery.method}: ${described}; ${far}`),
      scene.teacher && html('p', { class: 'caption' }, `Its teacher: ${short(scene.teacher.error)}`),
      scene.teacher && sceneCanvas(scene.teacher, unpacked(scene.teacher), column, view,
        `The same frame of the teacher: ${column.metric} ${short(scene.teacher.error)}`),
      numbers(['point', `off by ${column.unit}`, ''], () => column.names.map((name, i) => {
        const scored = !scene.uncounted.includes(i);
        const marks = [scene.hidden.includes(i) && 'hidden', !scored && 'not scored'];
        return [name, scored ? short(gaps[i]) : '', marks.filter(Boolean).join(', ')];
      })));
  });
  const has = (name) => gallery.scenes.some((scene) => scene[name].length);
  const key = (name, text) => html('li', {}, html('span', { class: `swatch ${name}` }), text);
  host.replaceChildren(
    html('div', { class: 'scenes' }, scenes),
    turningTools(view),
    html('ul', { class: 'legend' }, key('predicted', 'prediction'), key('truth', 'truth'), key('error', 'error'),
      has('hidden') ? key('hidden', 'hidden from the method') : null,
      has('uncounted') ? html('li', {}, 'faint: not scored') : null),
    html('p', { class: 'caption' }, `Seed ${gallery.seed}, run ${gallery.key.slice(0, 12)}, as the protocol compares them. `,
      column.names.length < column.points ? `${column.names.length} of ${column.points} points are shown. ` : '',
      'Drag to turn; keys: arrows, + and −, Home.'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => view.ask());
}

function drawColumns(host, suite) {
  const chosen = html('div', {});
  host.append(choice('Data', suite.columns.map((column) => column.title), (index) =>
    drawColumn(chosen, suite, suite.columns[index])), chosen);
}

function drawMeshes(host, suite) {
  const chosen = html('div', {});
  host.append(choice('Method', suite.meshes.map((gallery) => `${gallery.method}: ${gallery.title}`), (index) =>
    drawMeshGallery(chosen, suite.meshes[index])), chosen);
}

function drawTrainings(host, suite) {
  const chosen = html('div', {});
  const draw = (training) => {
    const series = training.curves.map((curve) =>
      ({ ...curve, name: `${curve.method}, seed ${curve.seed}` }));
    const log = series.every((one) => one.points.every(([, value]) => value > 0));
    const methods = [...new Set(series.map((one) => one.method))];
    chosen.replaceChildren(figure(`Training, ${training.quantity}: ${training.title}`,
      `Lines of ${series.length} trainings of ${methods.length} methods over steps.`,
      lines(series, suite.methods, { label: `step; ${training.quantity}${log ? ', logarithmic' : ''}`, log }),
      legend(suite.methods, methods),
      numbers(['method', 'seed', 'steps', 'first value', 'last value'], () => series.map((one) =>
        [one.method, one.seed, one.points.at(-1)[0], short(one.points[0][1]), short(one.points.at(-1)[1])]))));
  };
  host.append(choice('Data', suite.trainings.map((training) => `${training.title}: ${training.quantity}`), (index) =>
    draw(suite.trainings[index])), chosen);
}

const DRAW = { bars: drawBars, planes: drawPlanes, columns: drawColumns, meshes: drawMeshes, trainings: drawTrainings };

// Shows the suite that the address names, or the overview, and draws it when it is first shown.
function show() {
  const sections = [...document.querySelectorAll('section.suite')];
  const target = document.getElementById(location.hash.slice(1));
  const shown = sections.length === 1 ? sections[0] : target?.closest('section.suite');
  document.body.classList.toggle('one', Boolean(shown));
  for (const section of sections) {
    section.hidden = section !== shown;
    if (section.hidden || section.dataset.drawn) continue;
    section.dataset.drawn = 'yes';
    for (const host of section.querySelectorAll('[data-draw]')) {
      DRAW[host.dataset.draw](host, suites[section.dataset.suite]);
    }
  }
  if (target) target.scrollIntoView();
}

document.querySelectorAll('table.sortable').forEach(makeSortable);
window.addEventListener('hashchange', show);
show();
