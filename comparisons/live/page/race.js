'use strict';
// What a heat says at a moment: who is where, who leads, and whether that can be told. No page here.

const CLOSE = 'close';  // what is said where no arm can be called the leader

/** The points of a track that have been reached after so many seconds of learning. */
function reached(track, now) {
  return track.points.filter(point => point.seconds <= now);
}

/** The last point at which validation images were looked at, or undefined. */
function lastLook(track, now) {
  return reached(track, now).filter(point => point.val_accuracy !== null).at(-1);
}

/** When the last of some tracks has learnt all that it will. */
function ending(tracks) {
  return Math.max(0, ...tracks.map(trackEnd));
}

function trackEnd(track) {
  return Math.max(track.seconds, track.points.at(-1)?.seconds ?? 0);
}

/** Whether a track has nothing more to learn after so many seconds. */
function done(track, now) {
  return track.status !== '' && trackEnd(track) <= now;
}

/**
 * Who leads after so many seconds by validation accuracy: {label, shares}, the most accurate first.
 *
 * `label` is CLOSE where the first two differ by less than 1.96 standard errors of a difference of
 * two shares of `images` (Agresti 2013, Categorical Data Analysis, section 3.1.1: it takes their
 * images for different ones, so it is careful), and null before anything was looked at.
 */
function leader(tracks, now, images) {
  const shares = tracks
    .map(track => ({track, look: lastLook(track, now)}))
    .filter(one => one.look)
    .map(one => ({track: one.track, share: one.look.val_accuracy}))
    .sort((a, b) => b.share - a.share || (a.track.label < b.track.label ? -1 : 1));
  if (!shares.length) return {label: null, shares};
  const [first, second] = shares;
  if (!second) return {label: first.track.label, shares};
  const spread = share => share * (1 - share) / (images || 1000);
  const gap = 1.96 * Math.sqrt(spread(first.share) + spread(second.share));
  return {label: first.share - second.share > gap ? first.track.label : CLOSE, shares};
}

/** Who leads, as a sentence that begins with `when`. */
function leads(when, found, images) {
  const {label, shares} = found;
  if (label === null) return `${when} no arm has been looked at yet.`;
  const [first, second] = shares;
  if (!second) return `${when} ${first.track.name} is at ${percent(first.share)}; no other arm has been looked at yet.`;
  const rest = `${percent(first.share)} of the validation images, ${second.track.name} ${percent(second.share)}`;
  if (label === CLOSE) {
    const of = images ? ` on ${count(images)} images` : '';
    return `${when} it is too close to call${of}: ${first.track.name} ${rest}.`;
  }
  return `${when} ${first.track.name} leads: ${rest}.`;
}

/** How many hands were right, as a sentence; empty without hands or without a leader. */
function judged(hands, label, name) {
  const all = Object.values(hands).reduce((sum, n) => sum + n, 0);
  if (!all || label === null) return '';
  const right = hands[label] ?? 0;
  return `${count(right)} of ${count(all)} ${all === 1 ? 'hand' : 'hands'} said ${name}.`;
}

function percent(share) {
  return share === null || share === undefined ? '–' : `${(100 * share).toFixed(1)} %`;
}

function seconds(value) {
  return value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

function count(value) {
  return value.toLocaleString('en');
}

/** A measure of a point as people read it. */
function shown(measure, value) {
  if (value === null || value === undefined) return '–';
  return measure === 'val_accuracy' ? percent(value) : value.toFixed(3);
}
