'use strict';
// What the page shows of a heat, and what stands in its address.

const $ = id => document.getElementById(id);
const params = new URLSearchParams(location.search);
const hidden = new Set((params.get('hide') ?? '').split(',').filter(Boolean));
const AT = Math.max(1, Number(params.get('at')) || 10);  // seconds: the moment of the first question

// All that is shown follows from this.
const view = {
  heat: null, arms: null, now: 0, moment: Infinity, running: false, begun: false, over: false,
  idle: false, shown: null, disputed: null, stages: {}, hands: {early: {}, end: {}},
};

function make(tag, attributes = {}, ...inner) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...inner);
  return made;
}

/** Keep a choice in the address, so that a link has it. */
function remember(name, value) {
  if (value === '' || value === null) params.delete(name); else params.set(name, value);
  const query = params.toString();
  try {
    history.replaceState(null, '', `${location.pathname}${query ? `?${query}` : ''}${location.hash}`);
  } catch { /* some browsers refuse that for a file */ }
}

function racing() {
  return (view.heat?.tracks ?? []).filter(track => !view.arms || view.arms.has(track.label));
}

function armCell(tag, track, attributes = {}) {
  const cell = make(tag, {class: 'arm', ...attributes}, make('span', {class: 'glyph', 'aria-hidden': 'true'}, track.glyph), ` ${track.name}`);
  cell.style.setProperty('--colour', track.colour);
  return cell;
}

/** Before the start: hands for each arm, after a moment and at the end. */
function showPrediction() {
  const asked = [['early', `after ${AT} s of learning`], ['end', 'at the end']];
  const rows = [...racing().map(track => [track.label, armCell('th', track, {scope: 'row'}), track.name]),
    [CLOSE, make('th', {scope: 'row'}, 'too close to call'), 'too close to call']];
  $('hands').replaceChildren(
    make('thead', {}, make('tr', {}, make('td'), ...asked.map(([, said]) => make('th', {scope: 'col'}, said)))),
    make('tbody', {}, ...rows.map(([label, head, name]) => make('tr', {}, head, ...asked.map(([when, said]) => {
      const input = make('input', {
        type: 'number', min: 0, max: 999, inputmode: 'numeric', 'aria-label': `hands for ${name}, ${said}`,
        value: view.hands[when][label] ?? 0,
        oninput: () => { view.hands[when][label] = Math.min(999, Math.max(0, Math.floor(Number(input.value)) || 0)); },
      });
      const more = make('button', {
        type: 'button', 'aria-label': `one more hand for ${name}, ${said}`,
        onclick: () => { input.value = (Number(input.value) || 0) + 1; input.dispatchEvent(new Event('input')); },
      }, '+ 1');
      return make('td', {}, make('span', {class: 'hands'}, input, more));
    })))));
}

function showHeat() {
  $('title').textContent = view.heat?.title ?? '';
  $('notices').replaceChildren(...(view.heat?.notices ?? []).map(said => make('li', {}, said)));
  showPrediction();
  redraw();
}

/** Everything that changes while a race runs. */
function redraw() {
  const tracks = racing(), measure = $('measure').value, axis = $('axis').value;
  view.over = tracks.length > 0 && tracks.every(track => done(track, view.now));
  const furthest = Math.max(0, ...tracks.flatMap(track => reached(track, view.now).map(point => point[axis])));
  const moment = Number.isFinite(view.now) ? view.now : view.moment;
  const most = axis === 'seconds'
    ? Math.max(10, Math.min(ending(tracks) || 10, Math.max(furthest, Number.isFinite(view.now) ? view.now : 0) * 1.1))
    : Math.max(2, furthest);
  draw($('chart'), tracks, {measure, axis, now: view.now, most, moment: view.over ? Infinity : moment});
  $('caption').textContent = caption(tracks);
  const clock = Number.isFinite(view.now) ? view.now : view.over ? ending(tracks) : Math.min(view.moment, ending(tracks));
  $('clock').textContent = seconds(Math.min(clock, ending(tracks) || clock));
  showStandings(tracks);
  if ($('numbers').parentElement.parentElement.open) showNumbers(tracks, measure);
  $('choose').hidden = hidden.has('choose') || (view.begun && !view.over && !view.idle);
  $('predict').hidden = hidden.has('predict') || view.begun || !tracks.length;
  showResult(tracks);
  showConfusion(tracks);
  drawPictures();
}

function caption(tracks) {
  const images = view.heat?.validation;
  if (!view.begun) return tracks.length ? 'Nothing has been learnt yet. The bars at the foot will show preparation.' : '';
  return leads(view.over ? 'At the end' : 'So far', leader(tracks, view.now, images), images);
}

function stateOf(track, number) {
  if (done(track, view.now)) return track.error ? `${track.status}: ${track.error}` : track.status === 'ok' ? 'has ended' : track.status;
  if (!view.begun) return 'waits';
  if (GIVEN.live) return view.stages[number] ?? 'waits for its turn';
  return reached(track, view.now).length ? 'learns' : 'prepares';
}

function showStandings(tracks) {
  const open = view.over, measure = $('measure').value;
  const of = {val_accuracy: 'validation', val_loss: 'validation loss', train_loss: 'training loss'}[measure];
  const heads = ['arm', of, 'epoch', 'learning', ...(open ? ['test images'] : []), 'what it does'];
  $('standings').replaceChildren(
    make('thead', {}, make('tr', {}, ...heads.map((head, i) => make('th', {scope: 'col', class: i && i < heads.length - 1 ? 'n' : false}, head)))),
    make('tbody', {}, ...tracks.map(track => {
      const points = reached(track, view.now), last = points.at(-1), look = lastLook(track, view.now);
      const spent = done(track, view.now) ? trackEnd(track) : Number.isFinite(view.now) && view.begun ? view.now : last?.seconds ?? 0;
      const cells = [
        ['n big', measure === 'val_accuracy' || !look ? percent(look?.val_accuracy) : shown(measure, last[measure])],
        ['n', `${last?.epoch ?? 0} of ${track.epochs || '–'}`],
        ['n', seconds(spent)],
        ...(open ? [['n big', percent(track.test)]] : []),
        [false, stateOf(track, view.heat.tracks.indexOf(track))],
      ];
      return make('tr', {}, armCell('th', track, {scope: 'row'}),
        ...cells.map(([kind, words], i) => make('td', {class: kind, 'data-of': heads[i + 1]}, words)));
    })));
}

function showNumbers(tracks, measure) {
  const epochs = Math.max(0, ...tracks.map(track => reached(track, view.now).length));
  $('numbers').replaceChildren(
    make('caption', {}, $('measure').selectedOptions[0].textContent + ', and seconds of learning'),
    make('thead', {}, make('tr', {}, make('th', {scope: 'col'}, 'epoch'), ...tracks.map(track => armCell('th', track, {scope: 'col'})))),
    make('tbody', {}, ...Array.from({length: epochs}, (_, i) => make('tr', {}, make('th', {scope: 'row'}, String(i + 1)),
      ...tracks.map(track => {
        const point = reached(track, view.now)[i];
        return make('td', {class: 'n'}, point ? `${shown(measure, point[measure])} · ${seconds(point.seconds)}` : '');
      })))));
}

/** At the end: who led when, what hands had said, what the test images say, and how far to trust it. */
function showResult(tracks) {
  $('result').hidden = hidden.has('result') || !view.over;
  if (!view.over) return;
  const images = view.heat.validation, lines = [];
  const name = label => label === CLOSE ? 'too close to call' : tracks.find(track => track.label === label)?.name;
  for (const [when, at, said] of [['early', AT, `After ${AT} s of learning`], ['end', Infinity, 'At the end']]) {
    const found = leader(tracks, at, images);
    lines.push(`${leads(said, found, images)} ${judged(view.hands[when], found.label, name(found.label))}`.trim());
  }
  const tested = tracks.filter(track => track.test !== null).sort((a, b) => b.test - a.test);
  if (tested.length) {
    const of = view.heat.tests ? `${count(view.heat.tests)} test images` : 'test images';
    lines.push(`Now that the ${of} are open: ${tested.map(track => `${track.name} ${percent(track.test)}`).join(', ')}.`);
  }
  lines.push(...tracks.filter(track => track.error).map(track => `${track.name}: ${track.status}: ${track.error}.`));
  lines.push('This is one run of each arm: with other seeds the order of neighbours may change.');
  if ($('said').textContent !== lines.join('')) $('said').replaceChildren(...lines.map(line => make('li', {}, line)));
}

// What is said aloud: at most every five seconds, the last word soon.
const SPEAK = 5000;
let spoken = 0, waiting = null;
function speak(words) {
  clearTimeout(waiting);
  const wait = Math.max(0, spoken + SPEAK - performance.now());
  waiting = setTimeout(() => { spoken = performance.now(); $('status').textContent = words; }, wait);
}

function speakStandings() {
  const said = racing().filter(track => lastLook(track, view.now)).map(track => {
    const last = reached(track, view.now).at(-1);
    return `${track.name}: epoch ${last.epoch}, ${percent(lastLook(track, view.now).val_accuracy)}`;
  });
  speak((view.over ? ['All have ended', ...said] : said).join('; '));
}

/** A list of choices in a label; `choose` hears what was chosen. */
function choice(label, options, chosen, choose) {
  const select = make('select', {onchange: () => choose(select.value)},
    ...options.map(([value, said]) => make('option', {value, selected: value === chosen}, said)));
  return make('label', {}, `${label} `, select);
}

function checks(legend, options, isOn, change) {
  return make('fieldset', {}, make('legend', {}, legend), ...options.map(([value, said]) =>
    make('label', {}, make('input', {type: 'checkbox', checked: isOn(value), value, onchange: event => change(value, event.target.checked)}), said)));
}
