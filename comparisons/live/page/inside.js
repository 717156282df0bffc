'use strict';
// Inside the networks of a race that is over: first filters, what these find, pictures in the plane.

const inside = {
  told: null,  // what was answered of this race's networks
  picture: null,  // and of the picture that was tried last

  start() { $('look').addEventListener('click', () => this.ask()); },

  async ask() {
    this.say('The networks are looked into …');
    try {
      const answer = await fetch('inside', {
        method: 'POST', headers: {'content-type': 'application/json', 'x-race-token': race.token}, body: '{}',
      });
      if (!answer.ok) return this.say((await answer.text()).trim());
      this.told = await answer.json();
      this.say('');
      this.show();
    } catch {
      this.say('The command of this page has ended: start it again.');
    }
  },

  /** Another race has begun: nothing is known of its networks. */
  forget() {
    this.told = this.picture = null;
    this.say('');
    this.show();
  },

  /** A picture was tried: what filters find in it is shown from now on. */
  tried(said) {
    this.picture = said;
    this.find();
  },

  show() {
    $('inside').replaceChildren(...(this.told?.arms ?? []).map(arm => {
      const track = view.heat.tracks.find(track => track.label === arm.label) ?? {name: arm.label, glyph: '', colour: ''};
      const made = make('li', {}, armCell('h3', track));
      if (arm.filters.length) made.append(filters(track, arm.filters), make('div', {class: 'found'}));
      else made.append(make('p', {}, 'It does not begin with a convolution: it has no filters to show.'));
      if (arm.plane.length) made.append(plane(track, arm, this.told.pictures));
      if (arm.moved) made.append(moved(arm.moved));
      return made;
    }));
    this.find();
  },

  /** What the filters find: in the picture that was tried last, else in the first held-out one. */
  find() {
    const [first] = this.told?.pictures ?? [], called = this.picture ? 'your picture' : `a held-out ${first?.truth}`;
    for (const [i, arm] of (this.told?.arms ?? []).entries()) {
      const {seen, found} = this.picture?.find(one => one.label === arm.label) ?? {seen: first.image, found: arm.found};
      const box = $('inside').children[i].querySelector('.found');
      box?.replaceChildren(make('figure', {},
        make('div', {class: 'both'}, make('img', {src: seen, alt: called}), tiles(found, `${found.length} maps of what its filters find in ${called}`)),
        make('figcaption', {}, `What they find in ${called}: bright where it is found. Those that find most are shown.`)));
    }
  },

  say(words) { $('inside-message').textContent = words; },
};

function filters(track, images) {
  return make('figure', {}, tiles(images, `${images.length} first filters of ${track.name}`),
    make('figcaption', {}, 'Its first filters, each by its own largest weight: grey is nought. It answers most where a picture looks like it.'));
}

/** Small pictures in rows, as one picture to who cannot see them. */
function tiles(images, said) {
  return make('div', {class: 'tiles', role: 'img', 'aria-label': said}, ...images.map(src => make('img', {src, alt: ''})));
}

/** Pictures where a network's features have them, largest distances kept (PCA). */
function plane(track, {plane: places, alike}, pictures) {
  const wide = 320, high = 240, side = 22;
  const [xs, ys] = [0, 1].map(axis => places.map(place => place[axis]));
  const least = [Math.min(...xs), Math.min(...ys)], span = [Math.max(...xs) - least[0], Math.max(...ys) - least[1]];
  const scale = Math.min((wide - side) / (span[0] || 1), (high - side) / (span[1] || 1));
  const root = svg('svg', {viewBox: `0 0 ${wide} ${high}`, role: 'img', 'aria-label': `${pictures.length} held-out pictures in the plane, as ${track.name} orders them`});
  places.forEach((place, i) => {
    const [x, y] = place.map((value, axis) => (value - least[axis] - span[axis] / 2) * scale);
    const image = svg('image', {href: pictures[i].image, width: side, height: side, x: (wide - side) / 2 + x, y: (high - side) / 2 - y});
    image.append(svg('title', {}, pictures[i].truth));
    root.append(image);
  });
  return make('figure', {class: 'plane'}, root, make('figcaption', {},
    `${count(pictures.length)} held-out pictures in the plane (PCA): to its head those are alike that lie close. `
    + `The nearest other picture is of the same class for ${Math.round(100 * alike)} %, by all that the head reads.`));
}

/** What fine-tuning did to a base: the same held-out pictures before and after. */
function moved({figure, said, how_to_read: how}) {
  return make('figure', {class: 'moved'}, make('img', {src: figure, alt: `${said}.`}), make('figcaption', {}, how));
}
