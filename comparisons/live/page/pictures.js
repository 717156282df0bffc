'use strict';
// Pictures: those that people watch while arms learn, those that arms dispute, and people's own.

/** Show pictures {image, truth, answers} in a list, each with what every arm says of it. */
function showPictures(list, pictures, mayBeTried) {
  const tracks = racing();
  if (list.pictures !== pictures) {
    list.pictures = pictures;
    list.replaceChildren(...pictures.map(picture => make('li', {},
      make('figure', {}, pictured(picture, mayBeTried), make('figcaption', {}, picture.truth)),
      make('ul', {'aria-label': `what the arms call this ${picture.truth}`}))));
  }
  pictures.forEach((picture, i) => {
    const said = tracks.filter(track => picture.answers[track.label]).map(track => {
      const {called, certainty} = picture.answers[track.label], right = called === picture.truth;
      return answer(track, called, certainty, right ? 'right' : 'wrong', right ? '✓' : '✗');
    });
    list.children[i].lastChild.replaceChildren(...said);
  });
}

/** A picture; one that may be tried is a button. */
function pictured({image, truth}, mayBeTried) {
  const img = make('img', {src: image, alt: truth});
  if (!mayBeTried) return img;
  return make('button', {type: 'button', 'aria-label': `where they looked at this ${truth}`, onclick: () => trying.again(image)}, img);
}

/** A line: the arm's mark, what it says and how certainly, and a word on it. */
function answer(track, called, certainty, word, mark) {
  const line = make('li', {class: `arm ${word === 'wrong' ? 'wrong' : ''}`, title: track.name},
    make('span', {class: 'glyph', 'aria-hidden': 'true'}, track.glyph),
    make('span', {class: 'unseen'}, `${track.name}: `),
    ` ${called} ${Math.round(100 * certainty)} % `,
    make('span', {'aria-hidden': 'true'}, mark), make('span', {class: 'unseen'}, word));
  line.style.setProperty('--colour', track.colour);
  return line;
}

/** All that is shown of pictures, as far as there is any. */
function drawPictures() {
  const mayBeTried = GIVEN.live && !hidden.has('try');
  for (const [name, pictures] of [['shown', view.shown], ['disputed', view.disputed?.pictures]]) {
    const some = pictures?.length > 0;
    $(`${name}-part`).hidden = !some || hidden.has(name === 'shown' ? 'pictures' : name);
    if (some) showPictures($(name), pictures, name === 'disputed' && mayBeTried);
  }
  $('disputed-said').textContent = (view.disputed?.said ?? '') + (mayBeTried ? ' Choose a picture to see where each looked.' : '');
}

/** A picture of one's own: posted to the networks of the race that is over. */
const trying = {
  MOST: 25_000_000,

  start() {
    $('file').addEventListener('change', () => { if ($('file').files[0]) this.post($('file').files[0]); });
    $('camera').addEventListener('click', () => this.look());
    $('take').addEventListener('click', () => this.take());
    const drop = $('drop');
    for (const kind of ['dragover', 'drop']) drop.addEventListener(kind, event => event.preventDefault());
    drop.addEventListener('drop', event => {
      const file = event.dataTransfer.files[0];
      if (file) this.post(file); else this.say('That was no file: save the picture first, then drop it.');
    });
  },

  async post(file) {
    if (!file.type.startsWith('image/')) return this.say('That is no picture.');
    if (file.size > this.MOST) return this.say('That picture has more than 25 MB: choose a smaller one.');
    this.say('The networks look at it …');
    try {
      const answer = await fetch('try', {method: 'POST', body: file, headers: {'content-type': file.type, 'x-race-token': race.token}});
      if (!answer.ok) return this.say((await answer.text()).trim());
      this.show(await answer.json());
    } catch {
      this.say('The command of this page has ended: start it again.');
    }
  },

  /** One that the page has as a data URI; what is said of it comes into sight. */
  async again(uri) {
    const [head, content] = uri.split(','), bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    await this.post(new Blob([bytes], {type: head.slice('data:'.length).split(';')[0]}));
    $('tried').focus();
  },

  show(said) {
    this.say('');
    inside.tried(said);
    $('tried').replaceChildren(...said.map(one => {
      const track = view.heat.tracks.find(track => track.label === one.label) ?? {name: one.label, glyph: '', colour: ''};
      return make('li', {},
        make('figure', {}, make('div', {class: 'both'}, make('img', {src: one.seen, alt: `what ${track.name} saw`}),
          ...(one.looked ? [make('img', {src: one.looked, alt: `where ${track.name} looked: it is dark elsewhere`})] : [])),
        make('figcaption', {}, track.name)),
        make('ul', {}, answer(track, one.called, one.certainty, one.sure ? 'sure' : 'not sure', one.sure ? '' : 'not sure')));
    }));
  },

  async look() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}});
      $('video').srcObject = stream;
      await $('video').play();
      $('video').hidden = $('take').hidden = false;
      $('camera').hidden = true;
      $('take').focus();
      this.say('');
    } catch (error) {
      this.say(error.name === 'NotAllowedError' ? 'The camera may not be used: allow it in the browser, or choose a file.'
        : 'No camera was found: choose a file.');
    }
  },

  take() {
    const video = $('video'), canvas = make('canvas', {width: video.videoWidth, height: video.videoHeight});
    canvas.getContext('2d').drawImage(video, 0, 0);
    for (const track of video.srcObject.getTracks()) track.stop();
    video.srcObject = null;
    video.hidden = $('take').hidden = true;
    $('camera').hidden = false;
    $('camera').focus();
    canvas.toBlob(picture => this.post(picture), 'image/jpeg', 0.95);
  },

  say(words) { $('try-message').textContent = words; },
};
