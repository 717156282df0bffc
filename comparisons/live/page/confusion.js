'use strict';
// What each arm took for what on the test images, once all have ended: a table, or a few words.

/** Show it for some arms, or hide it where there is none yet. */
function showConfusion(tracks) {
  const some = view.over ? tracks.filter(track => track.confusion) : [];
  $('confusion-part').hidden = hidden.has('confusion') || !some.length;
  const said = some.map(track => track.label).join(' ');
  if ($('confusion').of === said) return;  // it does not change
  $('confusion').of = said;
  $('confusion-how').hidden = !some.some(track => track.confusion.rows.length);
  $('confusion').replaceChildren(...some.map(track => make('li', {}, armCell('h3', track), ...confused(track))));
}

function confused({name, confusion: {classes, rows, most}}) {
  const worst = most.map(one => `${one.truth} for ${one.called} (${count(one.count)} of ${count(one.images)})`);
  const said = make('p', {}, worst.length ? `Most often it took ${worst.join(', ')}.` : 'It named every test image rightly.');
  if (!rows.length) return [said];
  const table = make('table', {},
    make('thead', {}, make('tr', {}, make('td'), ...classes.map(one => make('th', {scope: 'col'}, make('span', {}, one))))),
    make('tbody', {}, ...rows.map((row, truth) => {
      const all = row.reduce((sum, images) => sum + images, 0) || 1;
      return make('tr', {}, make('th', {scope: 'row'}, classes[truth]), ...row.map((images, called) => {
        const cell = make('td', {class: called === truth ? 'right' : false}, count(images));
        // By the root, so that rare mistakes are seen; deeper than this no number could be read.
        cell.style.setProperty('--depth', `${Math.round(45 * Math.sqrt(images / all))}%`);
        return cell;
      }));
    })));
  return [said, make('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `What ${name} took for what`}, table)];
}
