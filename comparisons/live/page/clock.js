'use strict';
// A race that has been run, shown again: every arm's clock starts at 0, and learning is replayed.

const SPEEDS = [1, 2, 5, 10, 20, 60];
const BEAT = 250;  // milliseconds between two drawings

const replay = {
  speed: 10, timer: null, last: 0,

  start() {
    const heats = GIVEN.heats;
    const asked = heats.find(heat => heat.key === params.get('heat')) ?? heats[0];
    this.speed = SPEEDS.find(speed => speed === Number(params.get('speed'))) ?? 10;
    $('speed-label').hidden = false;
    $('speed').replaceChildren(...SPEEDS.map(speed => make('option', {value: speed, selected: speed === this.speed}, `× ${speed}`)));
    $('speed').addEventListener('change', () => { this.speed = Number($('speed').value); remember('speed', this.speed); });
    $('clock-note').textContent = 'of learning, for every arm alike';
    this.choose(asked, params.get('arms')?.split(' '));
  },

  choose(heat, arms) {
    this.halt();
    const known = (arms ?? []).filter(label => heat.tracks.some(track => track.label === label));
    Object.assign(view, {heat, arms: known.length ? new Set(known) : null, now: 0, begun: false, hands: {early: {}, end: {}}});
    $('choices').replaceChildren(
      make('div', {class: 'fields'}, choice('Which race', GIVEN.heats.map(one => [one.key, one.title]), heat.key, key => {
        remember('heat', key); remember('arms', '');
        this.choose(GIVEN.heats.find(one => one.key === key));
      })),
      checks('Arms', heat.tracks.map(track => [track.label, track.name]), label => !view.arms || view.arms.has(label), (label, on) => {
        view.arms ??= new Set(heat.tracks.map(track => track.label));
        if (on) view.arms.add(label); else view.arms.delete(label);
        remember('arms', view.arms.size < heat.tracks.length ? [...view.arms].join(' ') : '');
        showHeat(); this.buttons();
      }));
    showHeat();
    this.buttons();
  },

  go() {
    if (view.over) this.back();
    view.begun = view.running = true;
    this.last = performance.now();
    this.timer ??= setInterval(() => this.beat(), BEAT);
    this.show();
  },

  beat() {
    const time = performance.now(), before = view.now;
    view.now = Math.min(view.now + (time - this.last) / 1000 * this.speed, ending(racing()));
    this.last = time;
    this.show(before);
  },

  /** Draw; where less motion is wanted, only when an epoch has ended. */
  show(before = -1) {
    const news = racing().some(track => track.points.some(point => point.seconds > before && point.seconds <= view.now));
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!calm || news || before < 0 || view.now >= ending(racing())) redraw();
    if (view.over) this.halt();
    if (news || view.over) speakStandings();
    this.buttons();
  },

  halt() {
    clearInterval(this.timer);
    this.timer = null;
    view.running = false;
  },

  pause() { this.halt(); this.buttons(); },

  step() {
    this.halt();
    view.begun = true;
    const next = racing().flatMap(track => track.points.map(point => point.seconds)).filter(at => at > view.now);
    view.now = next.length ? Math.min(...next) : ending(racing());
    this.show();
  },

  back() {
    this.halt();
    Object.assign(view, {now: 0, begun: false, over: false});
    redraw();
    this.buttons();
  },

  stop() { this.back(); },

  buttons() {
    const some = racing().length > 0;
    $('go').textContent = view.over ? 'Again' : view.begun ? 'Continue' : 'Start';
    $('go').disabled = view.running || !some;
    $('pause').disabled = !view.running;
    $('step').disabled = view.over || !some;
    $('stop').disabled = !view.begun;
  },
};
