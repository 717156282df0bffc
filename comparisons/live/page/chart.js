'use strict';
// Curves as SVG, drawn anew at most four times a second; no library.

const SVG = 'http://www.w3.org/2000/svg';
const DASHES = ['none', '9 5', '2 4', '12 4 2 4', '5 3', '16 5'];

function svg(name, attributes = {}, text = '') {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

/** About `wanted` round numbers from 0 to `most`. */
function ticks(most, wanted) {
  const rough = most / wanted, size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(times => times * size).find(one => one >= rough);
  return Array.from({length: Math.floor(most / step + 1e-9) + 1}, (_, i) => i * step);
}

/**
 * Draw tracks into a box: {measure, axis, now, most, live}.
 *
 * Over seconds, `most` is the right end, and what lies after the moment of the one that learns now
 * is pale: it was run before.
 */
function draw(box, tracks, {measure, axis, now, most, moment}) {
  const wide = Math.max(box.clientWidth, 280), names = wide >= 720;
  const font = parseFloat(getComputedStyle(box).fontSize);
  const high = Math.round(Math.max(240, Math.min(wide * 0.42, window.innerHeight * 0.55)));
  const left = font * 3.7;
  const right = names ? Math.min(wide * 0.4, longest(tracks.map(track => track.name), box) + font * 3) : font * 1.6;
  const top = font, bottom = font * 3;
  const lines = tracks.map((track, number) => ({
    track, number,
    points: reached(track, now).filter(point => point[measure] !== null),
  }));
  const values = lines.flatMap(line => line.points.map(point => point[measure]));
  const highest = measure === 'val_accuracy' ? 1 : Math.max(0.5, ...values) * 1.05;
  const x = value => left + (wide - left - right) * value / most;
  const y = value => high - bottom - (high - bottom - top) * value / highest;
  const root = svg('svg', {viewBox: `0 0 ${wide} ${high}`, 'font-size': font, 'aria-hidden': 'true'});
  for (const value of ticks(highest, 5)) {
    root.append(svg('line', {class: 'grid', x1: left, x2: wide - right, y1: y(value), y2: y(value)}));
    const said = measure === 'val_accuracy' ? `${Math.round(value * 100)} %` : String(+value.toFixed(2));
    root.append(svg('text', {class: 'tick', x: left - 8, y: y(value) + font / 3, 'text-anchor': 'end'}, said));
  }
  for (const value of ticks(most, wide < 600 ? 4 : 8)) {
    root.append(svg('text', {class: 'tick', x: x(value), y: high - bottom + font * 1.3, 'text-anchor': 'middle'}, String(+value.toFixed(2))));
  }
  const under = axis === 'epoch' ? 'epochs' : 'seconds of learning';
  root.append(svg('text', {class: 'tick', x: (left + wide - right) / 2, y: high - 4, 'text-anchor': 'middle'}, under));
  if (axis === 'seconds' && moment > 0 && moment < Infinity) {
    root.append(svg('line', {class: 'time', x1: x(moment), x2: x(moment), y1: top, y2: high - bottom}));
  }
  for (const line of lines) root.append(curve(line, {measure, axis, x, y, base: high - bottom, now, moment, font}));
  if (names) root.append(...ends(lines, measure, {x: wide - right + font * 1.1, y, low: top + font / 2, high: high - bottom, font}));
  box.replaceChildren(root);
}

/** The width of the longest of some names, in pixels. */
function longest(names, box) {
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = getComputedStyle(box).font;
  return Math.max(0, ...names.map(name => pen.measureText(name).width));
}

function curve({track, number, points}, {measure, axis, x, y, base, now, moment, font}) {
  const group = svg('g', {class: 'arm'});
  group.style.setProperty('--colour', track.colour);
  // Preparation, in which nothing is learnt yet, is a bar at the foot.
  const first = track.points[0]?.seconds ?? now;
  if (axis === 'seconds' && track.points.length) {
    const at = base - 5 - number * 9, until = Math.min(first, now);
    group.append(svg('line', {class: 'wait', x1: x(0), x2: x(until), y1: at, y2: at}));
  }
  if (!points.length) return group;
  const place = point => [x(point[axis]), y(point[measure])];
  const parts = axis === 'seconds' && moment < Infinity
    ? [[points.filter(point => point.seconds <= moment), ''], [points.filter((point, i) => (points[i + 1]?.seconds ?? point.seconds) > moment), ' ahead']]
    : [[points, '']];
  for (const [some, how] of parts) {
    if (!some.length) continue;
    const path = some.map(place).map(at => at.map(value => value.toFixed(1)).join(',')).join(' ');
    group.append(svg('polyline', {class: `curve${how}`, points: path, 'stroke-dasharray': DASHES[number % DASHES.length]}));
    let drawn = -Infinity;
    for (const point of some) {
      const [px, py] = place(point);
      if (px - drawn < font * 0.9 && point !== some.at(-1)) continue;  // signs would hide each other
      drawn = px;
      group.append(svg('text', {class: `mark${how}`, x: px, y: py + font * 0.36, 'text-anchor': 'middle'}, track.glyph));
    }
  }
  return group;
}

/** Names at the right, each as near to the end of its curve as the others leave room. */
function ends(lines, measure, {x, y, low, high, font}) {
  const placed = lines.filter(line => line.points.length)
    .map(line => ({track: line.track, at: y(line.points.at(-1)[measure])}))
    .sort((a, b) => a.at - b.at);
  const gap = font * 1.3;
  placed.forEach((one, i) => { one.at = Math.max(one.at, i ? placed[i - 1].at + gap : low); });
  for (let i = placed.length - 1, limit = high; i >= 0; i--, limit -= gap) placed[i].at = Math.min(placed[i].at, limit);
  return placed.flatMap(({track, at}) => {
    const group = svg('g', {class: 'arm'});
    group.style.setProperty('--colour', track.colour);
    group.append(svg('text', {class: 'mark', x, y: at + font * 0.36}, track.glyph));
    const name = svg('text', {x: x + font * 1.3, y: at + font * 0.36}, track.name);
    group.append(name);
    return [group];
  });
}
