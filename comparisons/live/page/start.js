'use strict';
// A race that runs now, heard from its server; and the beginning of it all.

const UNHEARD = 'The race cannot be heard: is its command still running? Trying again.';

/** Names that are separated by commas, else by blanks; and how they are written so. */
function listed(text) {
  return text.split(text.includes(',') ? ',' : /\s+/).map(name => name.trim()).filter(Boolean);
}

function joined(names) {
  return names.join(names.some(name => name.includes(' ')) ? ', ' : ' ');
}

/** What a browser without scripts would show. */
function asLoaded() {
  const page = new DOMParser().parseFromString(document.querySelector('noscript').textContent, 'text/html');
  return `When this page was loaded: ${page.querySelector('.now').textContent}`;
}

const race = {
  state: 'ready', token: '', asked: null, deaf: !window.EventSource,

  start() {
    this.keepToken();
    view.now = Infinity;
    this.asked = {
      arms: listed(params.get('arms') ?? ''), data: params.get('data') ?? 'auto',
      classes: listed(params.get('classes') ?? ''), preset: params.get('preset') ?? 'demo',
      size: Number(params.get('size')) || null, epochs: Number(params.get('epochs')) || null, seed: Number(params.get('seed')) || 0,
    };
    this.form();
    showHeat();
    this.buttons();
    if (this.deaf) return this.say(`This browser cannot follow a race: it has no Server-Sent Events. Use another. ${asLoaded()}`);
    const stream = new EventSource('events');
    stream.onmessage = event => { for (const message of JSON.parse(event.data)) this.hear(message); this.draw(); };
    stream.onerror = () => this.say(UNHEARD);
    stream.onopen = () => { if ($('message').textContent === UNHEARD) this.say(''); };
  },

  /** The token comes after # in the address; a link without one uses that of the last visit. */
  keepToken() {
    this.token = decodeURIComponent(location.hash.slice(1));
    try {
      if (this.token) localStorage.setItem('token', this.token); else this.token = localStorage.getItem('token') ?? '';
    } catch { /* nothing may be kept here */ }
  },

  form() {
    const asked = this.asked, set = (name, value) => { asked[name] = value; remember(name, Array.isArray(value) ? joined(value) : value); };
    const field = (label, name, attributes, read) => make('label', {}, `${label} `, make('input', {
      ...attributes, value: Array.isArray(asked[name]) ? joined(asked[name]) : asked[name] ?? '',
      onchange: event => set(name, read(event.target.value.trim())),
    }));
    const number = text => Number(text) || null;
    const known = GIVEN.arms.map(arm => arm.written);
    const more = make('input', {'aria-label': 'more arms, as MODEL:STRATEGY', placeholder: 'more, as MODEL:STRATEGY',
      value: asked.arms.filter(arm => !known.includes(arm)).join(' '),
      onchange: event => { set('arms', [...asked.arms.filter(arm => known.includes(arm)), ...listed(event.target.value)]); this.arms(); }});
    const arms = checks('Arms (none: those of the preset)', GIVEN.arms.map(arm => [arm.written, arm.name]), arm => asked.arms.includes(arm), (arm, on) => {
      set('arms', on ? [...asked.arms, arm] : asked.arms.filter(one => one !== arm));
      this.arms();
    });
    arms.append(more);
    $('choices').replaceChildren(make('div', {class: 'fields'},
      choice('Preset', Object.keys(GIVEN.presets).map(name => [name, name]), asked.preset, value => { set('preset', value); this.arms(); }),
      field('Data set, FILE.npz or FOLDER', 'data', {list: 'known-data'}, text => text || 'auto'),
      make('datalist', {id: 'known-data'}, ...['auto', ...GIVEN.data].map(value => make('option', {value}))),
      field('Training images', 'size', {type: 'number', min: 2, placeholder: 'as the preset says'}, number),
      field('Epochs', 'epochs', {type: 'number', min: 1, placeholder: 'as the recipe says'}, number),
      field('Classes', 'classes', {placeholder: 'all, or cat, sea lion'}, listed),
      field('Seed', 'seed', {type: 'number', min: 0}, text => Number(text) || 0)), arms);
    this.arms();
  },

  /** Which arms the prediction asks for, before a heat is known. */
  arms() {
    if (this.busy()) return;
    const written = this.asked.arms.length ? this.asked.arms : GIVEN.presets[this.asked.preset] ?? [];
    view.heat = {title: 'Choose what races, predict, start.', notices: [], tracks: written.map(one => ({
      ...(GIVEN.arms.find(arm => arm.written === one) ?? {label: one, name: one, colour: '#7f7f7f', glyph: '○'}),
      epochs: 0, points: [], seconds: 0, status: '', test: null,
    }))};
    Object.assign(view, {begun: false, over: false});
    showHeat();
    this.buttons();
  },

  hear(message) {
    const tracks = view.heat?.tracks;
    switch (message.kind) {
      case 'begin':
        Object.assign(view, {heat: message.heat, arms: null, begun: true, stages: {}, moment: 0, shown: null, disputed: null});
        $('tried').replaceChildren();
        inside.forget();
        $('title').textContent = view.heat.title;
        $('notices').replaceChildren(...view.heat.notices.map(said => make('li', {}, said)));
        break;
      case 'state':
        this.state = message.state;
        this.text = message.text;
        this.say(this.state === 'failed' || this.state === 'stopped' ? message.text : '');
        break;
      case 'stage':
        this.text = '';
        view.stages[message.track] = message.text;
        break;
      case 'learnt':
        if (this.state === 'running') this.text = '';
        tracks[message.track].points.push(message.point);
        view.stages[message.track] = 'learns';
        view.moment = message.point.seconds;
        break;
      case 'shown':
        view.shown = message.pictures;
        break;
      case 'answered':
        message.answers.forEach((said, i) => { view.shown[i].answers[tracks[message.track].label] = said; });
        break;
      case 'disputed':
        view.disputed = message;
        break;
      case 'ended': {
        const {track, kind, ...rest} = message;
        Object.assign(tracks[track], rest);
        view.moment = 0;
        break;
      }
    }
  },

  draw() { view.idle = !this.busy(); redraw(); speakStandings(); this.buttons(); },

  async ask(change, content = {}) {
    this.say('');
    try {
      const answer = await fetch(change, {
        method: 'POST', headers: {'content-type': 'application/json', 'x-race-token': this.token}, body: JSON.stringify(content),
      });
      if (!answer.ok) this.say((await answer.text()).trim());
    } catch {
      this.say('The command of this page has ended: start it again.');
    }
  },

  go() {
    if (this.state === 'paused') return this.ask('play');
    return this.ask('start', this.asked);
  },
  pause() { return this.ask('pause'); },
  step() { return this.ask('step'); },
  stop() { return this.ask('stop'); },

  busy() { return ['preparing', 'running', 'paused', 'stopping'].includes(this.state); },
  say(words) { $('message').textContent = words; },

  buttons() {
    const runs = ['running', 'paused'].includes(this.state);
    $('go').textContent = this.state === 'paused' ? 'Continue' : view.begun && !this.busy() ? 'Again' : 'Start';
    $('go').disabled = this.deaf || this.busy() && this.state !== 'paused';
    $('pause').disabled = this.state !== 'running';
    $('step').disabled = !runs;
    $('stop').disabled = !this.busy() || this.state === 'stopping';
    $('clock-note').textContent = this.busy() ? `of learning · ${this.text || (this.state === 'running' ? 'runs' : this.state)}` : 'of learning';
    for (const part of ['try', 'inside']) $(`${part}-part`).hidden = hidden.has(part) || this.state !== 'over';
    for (const picture of document.querySelectorAll('#disputed button')) picture.disabled = this.state !== 'over';
    $('choices').inert = this.busy();
  },
};

{
  const source = GIVEN.live ? race : replay;
  for (const name of ['go', 'pause', 'step', 'stop']) $(name).addEventListener('click', () => source[name]());
  for (const name of ['measure', 'axis']) {
    if ([...$(name).options].some(option => option.value === params.get(name))) $(name).value = params.get(name);
    $(name).addEventListener('change', () => { remember(name, $(name).value); redraw(); });
  }
  for (const part of document.querySelectorAll('[data-part]')) if (hidden.has(part.dataset.part)) part.hidden = true;
  $('numbers').parentElement.parentElement.addEventListener('toggle', redraw);
  new ResizeObserver(() => redraw()).observe($('chart'));
  if (GIVEN.live) { trying.start(); inside.start(); }
  source.start();
}
